-- Keys, foreign keys with their columns in pairs, conditions, and who sees which rows.
SELECT 'k' AS kind, k.object_id AS id, k.parent_object_id AS parent_id, k.unique_index_id AS number, k.name{bin} AS name,
    CASE k.type WHEN 'PK' THEN 1 ELSE 0 END AS fact, 0 AS other_fact, 0 AS on_delete, 0 AS on_update,
    CONVERT(nvarchar(128), NULL){bin} AS target_schema, CONVERT(nvarchar(128), NULL){bin} AS target,
    CONVERT(nvarchar(128), NULL){bin} AS target_index
FROM sys.key_constraints AS k{hint}
JOIN sys.objects AS o{hint} ON o.object_id = k.parent_object_id
WHERE {selected}
UNION ALL
SELECT 'f', f.object_id, f.parent_object_id, 0, f.name{bin}, CONVERT(int, f.is_disabled), CONVERT(int, f.is_not_trusted),
    CONVERT(int, f.delete_referential_action), CONVERT(int, f.update_referential_action), s.name{bin}, t.name{bin},
    i.name{bin}
FROM sys.foreign_keys AS f{hint}
JOIN sys.objects AS o{hint} ON o.object_id = f.parent_object_id
LEFT JOIN sys.objects AS t{hint} ON t.object_id = f.referenced_object_id
LEFT JOIN sys.schemas AS s{hint} ON s.schema_id = t.schema_id
LEFT JOIN sys.indexes AS i{hint} ON i.object_id = f.referenced_object_id AND i.index_id = f.key_index_id
WHERE {selected}
UNION ALL
SELECT 'p', f.constraint_object_id, f.parent_object_id, f.constraint_column_id, c.name{bin}, f.parent_column_id, 0, 0, 0,
    CONVERT(nvarchar(128), NULL){bin}, CONVERT(nvarchar(128), NULL){bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.foreign_key_columns AS f{hint}
JOIN sys.objects AS o{hint} ON o.object_id = f.parent_object_id
LEFT JOIN sys.columns AS c{hint} ON c.object_id = f.referenced_object_id AND c.column_id = f.referenced_column_id
WHERE {selected}
UNION ALL
SELECT 'c', c.object_id, c.parent_object_id, c.parent_column_id, c.name{bin}, CONVERT(int, c.is_disabled),
    CONVERT(int, c.is_not_trusted), 0, 0, CONVERT(nvarchar(128), NULL){bin}, CONVERT(nvarchar(128), NULL){bin},
    CONVERT(nvarchar(128), NULL){bin}
FROM sys.check_constraints AS c{hint}
JOIN sys.objects AS o{hint} ON o.object_id = c.parent_object_id
WHERE {selected}
UNION ALL
SELECT 'r', r.object_id, r.target_object_id, r.security_predicate_id, p.name{bin}, r.predicate_type,
    COALESCE(r.operation, 0), CONVERT(int, p.is_enabled), 0, s.name{bin}, p.name{bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.security_predicates AS r{hint}
JOIN sys.security_policies AS p{hint} ON p.object_id = r.object_id
JOIN sys.schemas AS s{hint} ON s.schema_id = p.schema_id
JOIN sys.objects AS o{hint} ON o.object_id = r.target_object_id
WHERE {selected}
