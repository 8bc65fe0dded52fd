-- Columns of relations and attributes of composite types. A default refers to no column, so that it is told without the table
-- and without its lock; what a column is computed from is not.
WITH locked AS MATERIALIZED ({locked}),
-- What a type says of its elements, looked up once for each type instead of once for each column.
types AS MATERIALIZED (
    SELECT
        t.oid,
        t.typtype = 'd' AND t.typnotnull AS not_null,
        t.typcollation AS collation,
        k.typcategory::text AS category,
        k.typname::text AS rests_on,
        e.typname::text AS name,
        CASE WHEN e.typtype IN ('e', 'd', 'c', 'r', 'm') AND en.nspname <> 'pg_catalog' THEN en.nspname END::text AS namespace
    FROM pg_type t
    JOIN pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END
    JOIN pg_namespace en ON en.oid = e.typnamespace
    JOIN pg_type k ON k.oid = CASE WHEN e.typtype = 'd' THEN e.typbasetype ELSE e.oid END
)
SELECT
    a.attrelid::int8,
    a.attnum::int4,
    a.attname::text,
    format_type(a.atttypid, a.atttypmod),
    a.attnotnull OR t.not_null,
    a.attidentity::text,
    a.attgenerated::text,
    a.atthasdef,
    CASE
        WHEN d.oid IS NULL THEN NULL
        WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, 0)
        WHEN a.attrelid NOT IN (SELECT relation FROM locked) THEN pg_get_expr(d.adbin, d.adrelid)
    END,
    CASE WHEN a.attcollation <> t.collation THEN co.collname END::text,
    CASE WHEN a.attcollation <> t.collation AND con.nspname <> 'pg_catalog' THEN con.nspname END::text,
    a.attndims::int4,
    t.category,
    t.rests_on,
    t.name,
    t.namespace,
    de.description,
    array_to_json(a.attacl)::text,
    NOT a.attislocal,
    a.attnotnull AND t.not_null
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN types t ON t.oid = a.atttypid
LEFT JOIN pg_description de ON de.classoid = 'pg_class'::regclass AND de.objoid = a.attrelid AND de.objsubid = a.attnum
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation AND a.attcollation <> t.collation
LEFT JOIN pg_namespace con ON con.oid = co.collnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped AND {selected}
