-- Sequences, those of identity columns included.
SELECT
    c.oid::int8,
    n.nspname::text,
    c.relname::text,
    format_type(s.seqtypid, NULL),
    s.seqstart,
    s.seqincrement,
    s.seqmin,
    s.seqmax,
    s.seqcache,
    s.seqcycle,
    pg_get_userbyid(c.relowner)::text,
    de.description,
    array_to_json(c.relacl)::text,
    d.deptype::text,
    d.refobjid::int8,
    owner_namespace.nspname::text,
    owner.relname::text,
    owner_column.attname::text
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description de ON de.classoid = 'pg_class'::regclass AND de.objoid = c.oid AND de.objsubid = 0
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class owner ON owner.oid = d.refobjid
LEFT JOIN pg_namespace owner_namespace ON owner_namespace.oid = owner.relnamespace
LEFT JOIN pg_attribute owner_column ON owner_column.attrelid = d.refobjid AND owner_column.attnum = d.refobjsubid
WHERE {selected}
