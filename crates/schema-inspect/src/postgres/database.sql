-- What the transaction is set to until it ends, what the database is, what it is made of, and the names that other answers give as
-- numbers: one row. Compiling the questions that follow would take longer than running them.
SELECT
    pg_catalog.current_setting('server_version'),
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
    pg_catalog.current_database()::pg_catalog.text,
    (SELECT de.description FROM pg_catalog.pg_shdescription de
        WHERE de.classoid = {pg_database} AND de.objoid = d.oid),
    pg_catalog.pg_encoding_to_char(d.encoding)::pg_catalog.text,
    d.datcollate::pg_catalog.text,
    pg_catalog.current_setting('block_size')::pg_catalog.int8,
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
            n.nspname, pg_catalog.pg_get_userbyid(n.nspowner), de.description, n.nspacl))
        FROM pg_catalog.pg_namespace n
        LEFT JOIN pg_catalog.pg_description de
            ON de.classoid = {pg_namespace} AND de.objoid = n.oid AND de.objsubid = 0
        WHERE {selected})::pg_catalog.text,
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(e.extname, e.extversion, n.nspname))
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace)::pg_catalog.text,
    (SELECT pg_catalog.json_object_agg(
            o.oid::pg_catalog.text, pg_catalog.json_build_array(o.opcname, n.nspname))
        FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
        WHERE NOT o.opcdefault)::pg_catalog.text,
    (SELECT pg_catalog.json_object_agg(
            c.oid::pg_catalog.text, pg_catalog.json_build_array(c.collname, n.nspname))
        FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
        WHERE c.oid = ANY (SELECT pg_catalog.unnest(i.indcollation::pg_catalog.oid[]) FROM pg_catalog.pg_index i))::pg_catalog.text,
    -- Whether there is a native object of nobody but the database's owners. Numbers below 16384 are of what the engine was made with.
    EXISTS (
        SELECT
        FROM (
            SELECT t.tableoid, t.oid FROM pg_catalog.pg_collation t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_operator t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_opfamily t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_opclass t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_cast t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_ts_config t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_ts_dict t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_ts_parser t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_ts_template t
            UNION ALL SELECT t.tableoid, t.oid FROM pg_catalog.pg_type t
                WHERE (t.typtype = 'b' OR t.typtype = 'p') AND t.typinput <> 'pg_catalog.array_in'::pg_catalog.regproc
        ) o
        WHERE o.oid >= 16384 AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend x
            WHERE x.classid = o.tableoid AND x.objid = o.oid AND (x.deptype = 'e' OR x.deptype = 'i'))),
    -- Numbers of objects count within one database of one cluster.
    CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
        THEN (SELECT pg_catalog.concat(s.system_identifier, '/', d.oid) FROM pg_catalog.pg_control_system() s) END,
    pg_catalog.set_config('lock_timeout', $2, true),
    pg_catalog.set_config('search_path', '', true),
    pg_catalog.set_config('jit', 'off', true),
    pg_catalog.set_config('quote_all_identifiers', 'off', true)
FROM pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database()
