-- What the database is, what it is made of, and the names that other answers give as numbers: one row.
SELECT
    current_setting('server_version'),
    current_setting('server_version_num')::int4,
    current_database()::text,
    shobj_description(d.oid, 'pg_database'),
    pg_encoding_to_char(d.encoding)::text,
    d.datcollate::text,
    current_setting('block_size')::int8,
    (SELECT json_agg(json_build_array(
            n.nspname, pg_get_userbyid(n.nspowner), obj_description(n.oid, 'pg_namespace'), n.nspacl))
        FROM pg_namespace n
        WHERE {selected})::text,
    (SELECT json_agg(json_build_array(e.extname, e.extversion, n.nspname))
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace)::text,
    (SELECT json_object_agg(o.oid::text, o.opcname) FROM pg_opclass o WHERE NOT o.opcdefault)::text,
    (SELECT json_object_agg(c.oid::text, c.collname)
        FROM pg_collation c
        WHERE c.oid IN (SELECT unnest(i.indcollation::oid[]) FROM pg_index i))::text,
    -- Numbers of objects count within one database of one cluster.
    CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
        THEN (SELECT s.system_identifier || '/' || d.oid FROM pg_control_system() s) END
FROM pg_database d
WHERE d.datname = current_database()
