-- Triggers of tables and views, and what they wait for.
SELECT 't' AS kind, t.object_id, t.parent_id,
    CONVERT(int, t.is_disabled) + 2 * CONVERT(int, t.is_instead_of_trigger) + 4 * COALESCE(CONVERT(int, t.is_not_for_replication), 0)
        + CASE t.type WHEN 'TA' THEN 8 ELSE 0 END AS facts, t.name{bin} AS told,
    COALESCE(CONVERT(int, m.is_schema_bound) + CASE m.uses_ansi_nulls WHEN 0 THEN 2 ELSE 0 END
        + CASE m.uses_quoted_identifier WHEN 0 THEN 4 ELSE 0 END + 8 * COALESCE(CONVERT(int, m.uses_native_compilation), 0)
        + CASE WHEN m.execute_as_principal_id = -2 THEN 16 ELSE 0 END, 0) AS module_facts,
    p.name{bin} AS execute_as
FROM sys.triggers AS t{hint}
JOIN sys.objects AS o{hint} ON o.object_id = t.parent_id
LEFT JOIN sys.sql_modules AS m{hint} ON m.object_id = t.object_id
LEFT JOIN sys.database_principals AS p{hint} ON p.principal_id = m.execute_as_principal_id
WHERE t.parent_class = 1 AND t.is_ms_shipped = 0 AND {selected}
UNION ALL
SELECT 'e', e.object_id, t.parent_id, COALESCE(CONVERT(int, e.is_first), 0) + 2 * COALESCE(CONVERT(int, e.is_last), 0),
    e.type_desc{bin}, 0, CONVERT(nvarchar(128), NULL){bin}
FROM sys.trigger_events AS e{hint}
JOIN sys.triggers AS t{hint} ON t.object_id = e.object_id
JOIN sys.objects AS o{hint} ON o.object_id = t.parent_id
WHERE t.parent_class = 1 AND t.is_ms_shipped = 0 AND {selected}
