-- Enumerations, domains, composite types and ranges, but for what extensions have brought along.
SELECT
    t.oid::int8,
    t.typrelid::int8,
    n.nspname::text,
    t.typname::text,
    t.typtype::text,
    pg_get_userbyid(t.typowner)::text,
    de.description,
    array_to_json(t.typacl)::text,
    CASE WHEN t.typtype = 'e' THEN (
        SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid)
    END::text,
    t.typnotnull,
    CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) END,
    CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN co.collname END::text,
    CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation AND con.nspname <> 'pg_catalog' THEN con.nspname END::text,
    CASE t.typtype
        WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
        WHEN 'r' THEN format_type(r.rngsubtype, NULL)
    END,
    t.typndims::int4,
    k.typcategory::text,
    k.typname::text,
    e.typname::text,
    CASE WHEN e.typtype IN ('e', 'd', 'c', 'r', 'm') AND en.nspname <> 'pg_catalog' THEN en.nspname END::text,
    {multirange}
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE r.rngsubtype END
LEFT JOIN pg_type e ON e.oid = CASE WHEN b.typcategory = 'A' AND b.typelem <> 0 THEN b.typelem ELSE b.oid END
LEFT JOIN pg_namespace en ON en.oid = e.typnamespace
LEFT JOIN pg_type k ON k.oid = CASE WHEN e.typtype = 'd' THEN e.typbasetype ELSE e.oid END
LEFT JOIN pg_collation co ON co.oid = t.typcollation
LEFT JOIN pg_namespace con ON con.oid = co.collnamespace
LEFT JOIN pg_description de ON de.classoid = 'pg_type'::regclass AND de.objoid = t.oid AND de.objsubid = 0
WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
    AND NOT EXISTS (
        SELECT FROM pg_depend x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
    AND {selected}
