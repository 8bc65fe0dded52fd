-- Tables, views, synonyms, sequences and routines. What is a sql_variant is told as text.
SELECT o.object_id, o.schema_id, o.name, o.type, p.name AS owner_name, t.temporal_type, hs.name AS history_schema,
    h.name AS history_name, t.is_external, t.is_memory_optimized, t.durability, t.is_filetable, v.with_check_option,
    y.base_object_name, CONVERT(nvarchar(64), q.start_value) AS start_value,
    CONVERT(nvarchar(64), q.increment) AS increment, CONVERT(nvarchar(64), q.minimum_value) AS minimum_value,
    CONVERT(nvarchar(64), q.maximum_value) AS maximum_value, q.is_cycling, q.is_cached, q.cache_size, q.user_type_id,
    q.precision AS numeric_precision,
    CONVERT(int, m.is_schema_bound) + CASE m.uses_ansi_nulls WHEN 0 THEN 2 ELSE 0 END
        + CASE m.uses_quoted_identifier WHEN 0 THEN 4 ELSE 0 END + 8 * COALESCE(CONVERT(int, m.uses_native_compilation), 0)
        + CASE WHEN m.execute_as_principal_id = -2 THEN 16 ELSE 0 END AS module_facts,
    e.name AS execute_as
FROM sys.objects AS o{hint}
LEFT JOIN sys.database_principals AS p{hint} ON p.principal_id = o.principal_id
LEFT JOIN sys.tables AS t{hint} ON t.object_id = o.object_id
LEFT JOIN sys.objects AS h{hint} ON h.object_id = t.history_table_id
LEFT JOIN sys.schemas AS hs{hint} ON hs.schema_id = h.schema_id
LEFT JOIN sys.views AS v{hint} ON v.object_id = o.object_id
LEFT JOIN sys.synonyms AS y{hint} ON y.object_id = o.object_id
LEFT JOIN sys.sequences AS q{hint} ON q.object_id = o.object_id
LEFT JOIN sys.sql_modules AS m{hint} ON m.object_id = o.object_id
LEFT JOIN sys.database_principals AS e{hint} ON e.principal_id = m.execute_as_principal_id
WHERE o.type IN ('U', 'V', 'SN', 'SO', 'P', 'PC', 'FN', 'FS', 'IF', 'TF', 'FT', 'AF') AND {selected}
