-- Tables, views and what is like them. What would wait for somebody's lock is not asked for.
WITH locked AS MATERIALIZED ({locked})
SELECT
    c.oid::int8,
    n.nspname::text,
    c.relname::text,
    c.relkind::text,
    c.relpersistence::text,
    pg_get_userbyid(c.relowner)::text,
    de.description,
    array_to_json(c.relacl)::text,
    array_to_json(c.reloptions)::text,
    am.amname::text,
    s.spcname::text,
    x.extname::text,
    f.srvname::text,
    c.relrowsecurity,
    c.relforcerowsecurity,
    (SELECT json_agg(json_build_array(
            p.polname, p.polcmd::text, p.polpermissive,
            (SELECT json_agg(CASE r.oid WHEN 0 THEN NULL ELSE pg_get_userbyid(r.oid) END) FROM unnest(p.polroles) r(oid)),
            p.polqual IS NOT NULL,
            CASE WHEN NOT locks.own THEN pg_get_expr(p.polqual, p.polrelid) END,
            p.polwithcheck IS NOT NULL,
            CASE WHEN NOT locks.own THEN pg_get_expr(p.polwithcheck, p.polrelid) END))
        FROM pg_policy p WHERE p.polrelid = c.oid)::text,
    CASE WHEN c.relkind IN ('v', 'm') AND NOT locks.own AND NOT locks.of_what_it_uses THEN pg_get_viewdef(c.oid) END,
    CASE WHEN c.relkind IN ('v', 'm') THEN
        (SELECT json_agg(DISTINCT jsonb_build_array(un.nspname, u.relname))
            FROM pg_rewrite r
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
            JOIN pg_class u ON u.oid = d.refobjid
            JOIN pg_namespace un ON un.oid = u.relnamespace
            WHERE r.ev_class = c.oid AND r.ev_type = '1')
    END::text,
    CASE WHEN c.relkind = 'p' AND NOT locks.own THEN pg_get_partkeydef(c.oid) END,
    CASE WHEN c.relispartition AND NOT locks.own THEN pg_get_expr(c.relpartbound, c.oid) END,
    c.relispartition,
    (SELECT json_agg(json_build_array(home.nspname, p.relname) ORDER BY i.inhseqno)
        FROM pg_inherits i
        JOIN pg_class p ON p.oid = i.inhparent
        JOIN pg_namespace home ON home.oid = p.relnamespace
        WHERE i.inhrelid = c.oid)::text,
    CASE WHEN c.relhasrules THEN
        (SELECT json_agg(json_build_array(
                r.rulename, r.ev_type::text, r.is_instead, r.ev_enabled::text,
                CASE WHEN NOT locks.own AND NOT EXISTS (
                    SELECT
                    FROM pg_depend d
                    JOIN locked l ON l.relation = d.refobjid
                    WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass)
                THEN pg_get_ruledef(r.oid) END,
                rd.description))
            FROM pg_rewrite r
            LEFT JOIN pg_description rd ON rd.classoid = 'pg_rewrite'::regclass AND rd.objoid = r.oid AND rd.objsubid = 0
            -- That one is the view itself.
            WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')
    END::text,
    CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END,
    c.relpages::int8 + coalesce(t.relpages, 0)::int8
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT
        c.oid IN (SELECT relation FROM locked) AS own,
        c.relkind IN ('v', 'm') AND EXISTS (
            SELECT
            FROM pg_rewrite r
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                AND d.refclassid = 'pg_class'::regclass
            JOIN locked l ON l.relation = d.refobjid
            WHERE r.ev_class = c.oid AND r.ev_type = '1') AS of_what_it_uses
) locks
LEFT JOIN pg_am am ON am.oid = c.relam
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
LEFT JOIN pg_description de ON de.classoid = 'pg_class'::regclass AND de.objoid = c.oid AND de.objsubid = 0
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid
LEFT JOIN pg_foreign_server f ON f.oid = ft.ftserver
LEFT JOIN pg_depend e ON e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.objsubid = 0 AND e.deptype = 'e'
LEFT JOIN pg_extension x ON x.oid = e.refobjid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {selected}
