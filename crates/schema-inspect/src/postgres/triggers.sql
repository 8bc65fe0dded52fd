-- Triggers, but for those that the engine made itself or that partitions have from their table.
WITH locked AS MATERIALIZED ({locked})
SELECT
    t.tgrelid::int8,
    t.tgname::text,
    t.tgtype::int4,
    t.tgenabled::text,
    t.tgattr::text,
    home.nspname::text,
    p.proname::text,
    CASE WHEN t.tgrelid NOT IN (SELECT relation FROM locked) THEN pg_get_triggerdef(t.oid) END,
    de.description
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace home ON home.oid = p.pronamespace
LEFT JOIN pg_description de ON de.classoid = 'pg_trigger'::regclass AND de.objoid = t.oid AND de.objsubid = 0
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND {selected}
