-- Indexes. Only what is an expression is asked for as text: that is slow and takes the table's lock.
WITH locked AS MATERIALIZED ({locked})
SELECT
    i.indrelid::int8,
    c.relname::text,
    am.amname::text,
    i.indisunique,
    i.indisvalid AND i.indisready,
    {nulls_distinct},
    i.indnkeyatts::int4,
    i.indkey::text,
    i.indoption::text,
    i.indclass::text,
    i.indcollation::text,
    CASE WHEN i.indexprs IS NOT NULL AND i.indrelid NOT IN (SELECT relation FROM locked) THEN (
        SELECT json_agg(pg_get_indexdef(i.indexrelid, k, false) ORDER BY k)
        FROM generate_series(1, i.indnkeyatts::int4) k
        WHERE i.indkey[k - 1] = 0)
    END::text,
    i.indpred IS NOT NULL,
    CASE WHEN i.indrelid NOT IN (SELECT relation FROM locked) THEN pg_get_expr(i.indpred, i.indrelid) END,
    c.relispartition,
    i.indisclustered,
    i.indisreplident,
    array_to_json(c.reloptions)::text,
    s.spcname::text,
    con.conname::text,
    de.description,
    c.relpages::int8
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_description de ON de.classoid = 'pg_class'::regclass AND de.objoid = c.oid AND de.objsubid = 0
LEFT JOIN pg_constraint con ON con.conrelid = i.indrelid AND con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
WHERE {selected}
