-- Triggers of tables and views, and what they wait for.
SELECT 't' AS kind, t.object_id, t.parent_id,
    CONVERT(int, t.is_disabled) + 2 * CONVERT(int, t.is_instead_of_trigger) + 4 * CONVERT(int, t.is_not_for_replication)
        + CASE t.type WHEN 'TA' THEN 8 ELSE 0 END AS facts, t.name{bin} AS told
FROM sys.triggers AS t{hint}
JOIN sys.objects AS o{hint} ON o.object_id = t.parent_id
WHERE t.parent_class = 1 AND t.is_ms_shipped = 0 AND {selected}
UNION ALL
SELECT 'e', e.object_id, t.parent_id, CONVERT(int, e.is_first) + 2 * CONVERT(int, e.is_last), e.type_desc{bin}
FROM sys.trigger_events AS e{hint}
JOIN sys.triggers AS t{hint} ON t.object_id = e.object_id
JOIN sys.objects AS o{hint} ON o.object_id = t.parent_id
WHERE t.parent_class = 1 AND t.is_ms_shipped = 0 AND {selected}
