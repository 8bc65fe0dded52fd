-- Texts: of views, routines and triggers, of defaults, conditions, computed columns, filters and policies.
SELECT 'm' AS kind, m.object_id, 0 AS number, CONVERT(nvarchar(max), m.definition){bin} AS told
FROM sys.sql_modules AS m{hint}
JOIN sys.objects AS o{hint} ON o.object_id = m.object_id
WHERE o.type = 'D' OR {selected}
UNION ALL
SELECT 'd', d.object_id, 0, CONVERT(nvarchar(max), d.definition){bin}
FROM sys.default_constraints AS d{hint}
JOIN sys.objects AS o{hint} ON o.object_id = d.parent_object_id
WHERE o.type = 'TT' OR {selected}
UNION ALL
SELECT 'k', k.object_id, 0, CONVERT(nvarchar(max), k.definition){bin}
FROM sys.check_constraints AS k{hint}
JOIN sys.objects AS o{hint} ON o.object_id = k.parent_object_id
WHERE {selected}
UNION ALL
SELECT 'c', c.object_id, c.column_id, CONVERT(nvarchar(max), c.definition){bin}
FROM sys.computed_columns AS c{hint}
JOIN sys.objects AS o{hint} ON o.object_id = c.object_id
WHERE o.type = 'TT' OR {selected}
UNION ALL
SELECT 'f', i.object_id, i.index_id, CONVERT(nvarchar(max), i.filter_definition){bin}
FROM sys.indexes AS i{hint}
JOIN sys.objects AS o{hint} ON o.object_id = i.object_id
WHERE i.has_filter = 1 AND {selected}
UNION ALL
SELECT 's', r.object_id, r.security_predicate_id, CONVERT(nvarchar(max), r.predicate_definition){bin}
FROM sys.security_predicates AS r{hint}
JOIN sys.objects AS o{hint} ON o.object_id = r.target_object_id
WHERE {selected}
