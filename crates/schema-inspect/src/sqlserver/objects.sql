-- Tables, views, synonyms, sequences and routines. What is a sql_variant is told as text.
SELECT o.object_id, o.schema_id, o.name, o.type, p.name AS owner_name, t.temporal_type, hs.name AS history_schema,
    h.name AS history_name, t.is_external, t.is_memory_optimized, t.durability, t.is_filetable, v.with_check_option,
    y.base_object_name, CONVERT(nvarchar(64), q.start_value) AS start_value,
    CONVERT(nvarchar(64), q.increment) AS increment, CONVERT(nvarchar(64), q.minimum_value) AS minimum_value,
    CONVERT(nvarchar(64), q.maximum_value) AS maximum_value, q.is_cycling, q.is_cached, q.cache_size, q.user_type_id,
    q.precision AS numeric_precision
FROM sys.objects AS o{hint}
LEFT JOIN sys.database_principals AS p{hint} ON p.principal_id = o.principal_id
LEFT JOIN sys.tables AS t{hint} ON t.object_id = o.object_id
LEFT JOIN sys.objects AS h{hint} ON h.object_id = t.history_table_id
LEFT JOIN sys.schemas AS hs{hint} ON hs.schema_id = h.schema_id
LEFT JOIN sys.views AS v{hint} ON v.object_id = o.object_id
LEFT JOIN sys.synonyms AS y{hint} ON y.object_id = o.object_id
LEFT JOIN sys.sequences AS q{hint} ON q.object_id = o.object_id
WHERE o.type IN ('U', 'V', 'SN', 'SO', 'P', 'PC', 'FN', 'FS', 'IF', 'TF', 'FT', 'AF') AND {selected}
