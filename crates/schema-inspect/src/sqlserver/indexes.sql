-- Indexes and heaps with their columns, full-text indexes with theirs, and where partitions begin: a sql_variant, in a style that loses
-- nothing of it.
SELECT 'i' AS kind, i.object_id, i.index_id, CONVERT(int, i.type) AS number,
    CONVERT(int, i.is_unique) + 2 * CONVERT(int, i.is_primary_key) + 4 * CONVERT(int, i.is_unique_constraint)
        + 8 * CONVERT(int, i.is_disabled) + 16 * CONVERT(int, i.has_filter) + 32 * CONVERT(int, i.ignore_dup_key)
        + 64 * CONVERT(int, i.is_padded) AS fact,
    CONVERT(int, i.fill_factor) AS other_fact, COALESCE(ps.function_id, 0) AS third_fact,
    COALESCE(CONVERT(int, pf.boundary_value_on_right), 0) AS fourth_fact, i.name{bin} AS name,
    i.type_desc{bin} AS told, ds.name{bin} AS place, COALESCE(x.secondary_type_desc{bin}, sp.tessellation_scheme{bin}) AS form
FROM sys.indexes AS i{hint}
JOIN sys.objects AS o{hint} ON o.object_id = i.object_id
LEFT JOIN sys.data_spaces AS ds{hint} ON ds.data_space_id = i.data_space_id
LEFT JOIN sys.partition_schemes AS ps{hint} ON ps.data_space_id = i.data_space_id
LEFT JOIN sys.partition_functions AS pf{hint} ON pf.function_id = ps.function_id
LEFT JOIN sys.xml_indexes AS x{hint} ON x.object_id = i.object_id AND x.index_id = i.index_id
LEFT JOIN sys.spatial_indexes AS sp{hint} ON sp.object_id = i.object_id AND sp.index_id = i.index_id
WHERE i.is_hypothetical = 0 AND o.type IN ('U', 'V') AND {selected}
UNION ALL
SELECT 'c', c.object_id, c.index_id, c.index_column_id, c.column_id, CONVERT(int, c.key_ordinal),
    CONVERT(int, c.partition_ordinal), CONVERT(int, c.is_descending_key) + 2 * CONVERT(int, c.is_included_column),
    CONVERT(nvarchar(128), NULL){bin}, CONVERT(nvarchar(4000), NULL){bin}, CONVERT(nvarchar(128), NULL){bin},
    CONVERT(nvarchar(128), NULL){bin}
FROM sys.index_columns AS c{hint}
JOIN sys.objects AS o{hint} ON o.object_id = c.object_id
WHERE o.type IN ('U', 'V') AND {selected}
UNION ALL
SELECT 'f', f.object_id, f.unique_index_id, 0, CONVERT(int, f.is_enabled), 0, 0, 0, CONVERT(nvarchar(128), NULL){bin},
    f.change_tracking_state_desc{bin}, c.name{bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.fulltext_indexes AS f{hint}
JOIN sys.objects AS o{hint} ON o.object_id = f.object_id
LEFT JOIN sys.fulltext_catalogs AS c{hint} ON c.fulltext_catalog_id = f.fulltext_catalog_id
WHERE {selected}
UNION ALL
SELECT 'w', w.object_id, 0, 0, w.column_id, COALESCE(w.language_id, 0), 0, 0, CONVERT(nvarchar(128), NULL){bin},
    CONVERT(nvarchar(4000), NULL){bin}, CONVERT(nvarchar(128), NULL){bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.fulltext_index_columns AS w{hint}
JOIN sys.objects AS o{hint} ON o.object_id = w.object_id
WHERE {selected}
UNION ALL
SELECT 'b', v.function_id, 0, v.boundary_id, 0, 0, 0, 0, CONVERT(nvarchar(128), NULL){bin},
    CASE CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(v.value, 'BaseType'))
        WHEN N'datetime' THEN CONVERT(nvarchar(4000), CONVERT(datetime, v.value), 126)
        WHEN N'smalldatetime' THEN CONVERT(nvarchar(4000), CONVERT(datetime, v.value), 126)
        WHEN N'float' THEN CONVERT(nvarchar(4000), CONVERT(float, v.value), 3)
        WHEN N'real' THEN CONVERT(nvarchar(4000), CONVERT(real, v.value), 3)
        WHEN N'money' THEN CONVERT(nvarchar(4000), CONVERT(money, v.value), 2)
        WHEN N'smallmoney' THEN CONVERT(nvarchar(4000), CONVERT(money, v.value), 2)
        WHEN N'binary' THEN CONVERT(nvarchar(4000), CONVERT(varbinary(8000), v.value), 1)
        WHEN N'varbinary' THEN CONVERT(nvarchar(4000), CONVERT(varbinary(8000), v.value), 1)
        ELSE CONVERT(nvarchar(4000), v.value) END{bin},
    CONVERT(nvarchar(128), NULL){bin}, CONVERT(nvarchar(128), NULL){bin}
FROM sys.partition_range_values AS v{hint}
WHERE v.parameter_id = 1
