-- One text, which says the state of all that a look reads.
WITH
-- Whose columns, keys and so on are told. Those of a session are nobody else's.
relations AS MATERIALIZED (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND c.relkind <> 'i' AND c.relkind <> 'I' AND c.relkind <> 't'
),
namespaces AS MATERIALIZED (
    SELECT t.oid, {version} AS version
    FROM pg_catalog.pg_namespace t
    WHERE NOT pg_catalog.starts_with(t.nspname::pg_catalog.text, 'pg_temp_')
        AND NOT pg_catalog.starts_with(t.nspname::pg_catalog.text, 'pg_toast_temp_')
)
SELECT pg_catalog.json_build_array(
    CURRENT_USER,
    SESSION_USER,
    pg_catalog.pg_postmaster_start_time(),
    CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
        THEN (SELECT s.system_identifier FROM pg_catalog.pg_control_system() s) END,
    d.oid,
    d.xmin,
    d.ctid,
    (SELECT pg_catalog.concat(t.xmin, ' ', t.ctid)
        FROM pg_catalog.pg_shdescription t
        WHERE t.objoid = d.oid AND t.classoid = {pg_database}),
{sums}
)::pg_catalog.text
FROM pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database()
