-- Texts: of views, routines and triggers, of defaults, conditions, computed columns, filters and policies.
SELECT 'm' AS kind, m.object_id, 0 AS number,
    CONVERT(int, m.is_schema_bound) + CASE m.uses_ansi_nulls WHEN 0 THEN 2 ELSE 0 END
        + CASE m.uses_quoted_identifier WHEN 0 THEN 4 ELSE 0 END + 8 * COALESCE(CONVERT(int, m.uses_native_compilation), 0)
        + CASE WHEN m.execute_as_principal_id = -2 THEN 16 ELSE 0 END
        + 32 * COALESCE(OBJECTPROPERTY(m.object_id, 'IsEncrypted'), 0) AS facts,
    CONVERT(nvarchar(max), m.definition){bin} AS told, p.name{bin} AS execute_as
FROM sys.sql_modules AS m{hint}
JOIN sys.objects AS o{hint} ON o.object_id = m.object_id
LEFT JOIN sys.database_principals AS p{hint} ON p.principal_id = m.execute_as_principal_id
WHERE o.type = 'D' OR {selected}
UNION ALL
SELECT 'd', d.object_id, 0, 0, CONVERT(nvarchar(max), d.definition){bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.default_constraints AS d{hint}
JOIN sys.objects AS o{hint} ON o.object_id = d.parent_object_id
WHERE o.type = 'TT' OR {selected}
UNION ALL
SELECT 'k', k.object_id, 0, 0, CONVERT(nvarchar(max), k.definition){bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.check_constraints AS k{hint}
JOIN sys.objects AS o{hint} ON o.object_id = k.parent_object_id
WHERE {selected}
UNION ALL
SELECT 'c', c.object_id, c.column_id, 0, CONVERT(nvarchar(max), c.definition){bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.computed_columns AS c{hint}
JOIN sys.objects AS o{hint} ON o.object_id = c.object_id
WHERE o.type = 'TT' OR {selected}
UNION ALL
SELECT 'f', i.object_id, i.index_id, 0, CONVERT(nvarchar(max), i.filter_definition){bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.indexes AS i{hint}
JOIN sys.objects AS o{hint} ON o.object_id = i.object_id
WHERE i.has_filter = 1 AND {selected}
UNION ALL
SELECT 's', r.object_id, r.security_predicate_id, 0, CONVERT(nvarchar(max), r.predicate_definition){bin},
    CONVERT(nvarchar(128), NULL){bin}
FROM sys.security_predicates AS r{hint}
JOIN sys.objects AS o{hint} ON o.object_id = r.target_object_id
WHERE {selected}
