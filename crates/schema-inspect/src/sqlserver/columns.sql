-- Columns, parameters of routines, and types, those of the engine included: what has a type is told with its number.
SELECT 'c' AS kind, c.object_id AS owner_id, c.column_id AS number, c.name{bin} AS name, c.user_type_id AS type_id,
    CONVERT(int, c.max_length) AS max_length, CONVERT(int, c.precision) AS numeric_precision,
    CONVERT(int, c.scale) AS numeric_scale, COALESCE(CONVERT(int, c.is_nullable), 1) AS nullable,
    c.collation_name{bin} AS collation, CONVERT(int, c.is_computed) + COALESCE(CONVERT(int, k.is_persisted), 0) AS fact,
    COALESCE(CONVERT(int, c.generated_always_type), 0) AS other_fact,
    CONVERT(int, c.is_rowguidcol) + 2 * COALESCE(CONVERT(int, c.is_sparse), 0)
        + 4 * COALESCE(CONVERT(int, c.is_column_set), 0) + 8 * COALESCE(CONVERT(int, c.is_hidden), 0)
        + 16 * COALESCE(CONVERT(int, c.is_masked), 0) + 32 * CONVERT(int, c.is_filestream)
        + 64 * CONVERT(int, c.is_xml_document) + 128 * COALESCE(CONVERT(int, i.is_not_for_replication), 0) AS traits,
    c.default_object_id AS third_fact, d.name{bin} AS told, CONVERT(nvarchar(64), i.seed_value){bin} AS seed,
    CONVERT(nvarchar(64), i.increment_value){bin} AS increment, xs.name{bin} AS collection_schema,
    x.name{bin} AS collection_name
FROM sys.columns AS c{hint}
JOIN sys.objects AS o{hint} ON o.object_id = c.object_id
LEFT JOIN sys.table_types AS tt{hint} ON tt.type_table_object_id = c.object_id
LEFT JOIN sys.computed_columns AS k{hint} ON k.object_id = c.object_id AND k.column_id = c.column_id
LEFT JOIN sys.identity_columns AS i{hint} ON i.object_id = c.object_id AND i.column_id = c.column_id
LEFT JOIN sys.objects AS d{hint} ON d.object_id = c.default_object_id
LEFT JOIN sys.xml_schema_collections AS x{hint} ON x.xml_collection_id = c.xml_collection_id AND c.xml_collection_id <> 0
LEFT JOIN sys.schemas AS xs{hint} ON xs.schema_id = x.schema_id
WHERE tt.user_type_id IS NOT NULL OR (o.type IN ('U', 'V', 'IF', 'TF', 'FT') AND {selected})
UNION ALL
SELECT 'p', p.object_id, p.parameter_id, p.name{bin}, p.user_type_id, CONVERT(int, p.max_length),
    CONVERT(int, p.precision), CONVERT(int, p.scale), 1, CONVERT(nvarchar(128), NULL){bin}, CONVERT(int, p.is_output),
    CONVERT(int, p.is_readonly), 64 * CONVERT(int, p.is_xml_document), 0, CONVERT(nvarchar(128), NULL){bin},
    CONVERT(nvarchar(64), NULL){bin}, CONVERT(nvarchar(64), NULL){bin}, xs.name{bin}, x.name{bin}
FROM sys.parameters AS p{hint}
JOIN sys.objects AS o{hint} ON o.object_id = p.object_id
LEFT JOIN sys.xml_schema_collections AS x{hint} ON x.xml_collection_id = p.xml_collection_id AND p.xml_collection_id <> 0
LEFT JOIN sys.schemas AS xs{hint} ON xs.schema_id = x.schema_id
WHERE {selected}
UNION ALL
SELECT 't', t.user_type_id, t.schema_id, t.name{bin}, CONVERT(int, t.system_type_id), CONVERT(int, t.max_length),
    CONVERT(int, t.precision), CONVERT(int, t.scale), COALESCE(CONVERT(int, t.is_nullable), 1), t.collation_name{bin},
    CONVERT(int, t.is_user_defined), CONVERT(int, t.is_assembly_type), 0, COALESCE(tt.type_table_object_id, 0),
    p.name{bin}, CONVERT(nvarchar(64), NULL){bin}, CONVERT(nvarchar(64), NULL){bin}, CONVERT(nvarchar(128), NULL){bin},
    CONVERT(nvarchar(128), NULL){bin}
FROM sys.types AS t{hint}
LEFT JOIN sys.table_types AS tt{hint} ON tt.user_type_id = t.user_type_id
LEFT JOIN sys.database_principals AS p{hint} ON p.principal_id = t.principal_id
