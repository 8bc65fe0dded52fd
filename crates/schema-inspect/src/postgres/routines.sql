-- Functions and procedures, but for what extensions have brought along.
WITH locked AS MATERIALIZED ({locked})
SELECT
    n.nspname::text,
    p.proname::text,
    pg_get_function_identity_arguments(p.oid),
    p.prokind::text,
    pg_get_function_result(p.oid),
    l.lanname::text,
    p.provolatile::text,
    p.prosecdef,
    p.proisstrict,
    p.proparallel::text,
    p.prokind <> 'a',
    CASE WHEN p.prokind <> 'a' AND NOT ({has_parsed_body} AND EXISTS (
            SELECT
            FROM pg_depend d
            JOIN locked ON locked.relation = d.refobjid
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass))
        THEN pg_get_functiondef(p.oid)
    END,
    pg_get_userbyid(p.proowner)::text,
    de.description,
    array_to_json(p.proacl)::text
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_description de ON de.classoid = 'pg_proc'::regclass AND de.objoid = p.oid AND de.objsubid = 0
WHERE NOT EXISTS (
        SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')
    AND NOT EXISTS (
        SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'i')
    AND {selected}
