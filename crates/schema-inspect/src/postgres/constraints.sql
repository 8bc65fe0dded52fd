-- Keys, foreign keys, checks and exclusions of tables and domains. Those that a reference to a table with
-- partitions makes besides, one for each of them, are left out.
WITH locked AS MATERIALIZED ({locked})
SELECT
    con.conrelid::int8,
    con.contypid::int8,
    con.conname::text,
    con.contype::text,
    con.condeferrable,
    con.condeferred,
    con.convalidated,
    {enforced},
    con.connoinherit,
    con.coninhcount > 0 OR con.conparentid <> 0,
    array_to_json(con.conkey)::text,
    ic.relname::text,
    CASE con.contype
        WHEN 'f' THEN CASE
            -- Most have one column, which costs a third when it is not put in order.
            WHEN cardinality(con.conkey) = 1 THEN (
                SELECT json_build_array(json_build_array(here.attname, there.attname))
                FROM pg_attribute here, pg_attribute there
                WHERE here.attrelid = con.conrelid AND here.attnum = con.conkey[1]
                    AND there.attrelid = con.confrelid AND there.attnum = con.confkey[1])
            ELSE (
                SELECT json_agg(json_build_array(here.attname, there.attname) ORDER BY k.position)
                FROM unnest(con.conkey, con.confkey) WITH ORDINALITY k(here, there, position)
                JOIN pg_attribute here ON here.attrelid = con.conrelid AND here.attnum = k.here
                JOIN pg_attribute there ON there.attrelid = con.confrelid AND there.attnum = k.there)
        END
        WHEN 'x' THEN (
            SELECT json_agg(CASE home.nspname
                    WHEN 'pg_catalog' THEN o.oprname
                    ELSE concat('OPERATOR(', quote_ident(home.nspname), '.', o.oprname, ')')
                END ORDER BY k.position)
            FROM unnest(con.conexclop) WITH ORDINALITY k(operator, position)
            JOIN pg_operator o ON o.oid = k.operator
            JOIN pg_namespace home ON home.oid = o.oprnamespace)
    END::text,
    fn.nspname::text,
    fc.relname::text,
    target.conname::text,
    con.confupdtype::text,
    con.confdeltype::text,
    con.confmatchtype::text,
    {set_on_delete},
    CASE
        WHEN con.contype <> 'c' THEN NULL
        WHEN con.conrelid = 0 THEN pg_get_expr(con.conbin, 0)
        WHEN con.conrelid NOT IN (SELECT relation FROM locked) THEN pg_get_expr(con.conbin, con.conrelid)
    END,
    de.description
FROM pg_constraint con
JOIN pg_namespace n ON n.oid = con.connamespace
LEFT JOIN pg_class ic ON ic.oid = con.conindid AND con.contype IN ('p', 'u', 'x')
LEFT JOIN pg_class fc ON fc.oid = con.confrelid
LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace
LEFT JOIN pg_constraint target ON con.contype = 'f' AND target.conrelid = con.confrelid AND target.conindid = con.conindid
    AND target.contype IN ('p', 'u')
LEFT JOIN pg_constraint above ON above.oid = con.conparentid
LEFT JOIN pg_description de ON de.classoid = 'pg_constraint'::regclass AND de.objoid = con.oid AND de.objsubid = 0
WHERE con.contype IN ('p', 'u', 'f', 'c', 'x') AND (con.conparentid = 0 OR above.conrelid <> con.conrelid)
    AND {selected}
