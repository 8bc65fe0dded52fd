-- What families and classes of operators are made of.
SELECT
    d.refclassid,
    d.refobjid,
    concat('OPERATOR ', e.amopstrategy, ' ', e.amopopr::regoperator,
        (SELECT concat(' FOR ORDER BY ', quote_ident(its.nspname), '.', quote_ident(sorting.opfname))
            FROM pg_opfamily sorting
            JOIN pg_namespace its ON its.oid = sorting.opfnamespace
            WHERE sorting.oid = e.amopsortfamily)) AS text
FROM pg_depend d
JOIN pg_amop e ON e.oid = d.objid
-- One that sorts belongs to its own family and not to the one that it sorts by.
WHERE d.classid = 'pg_amop'::regclass AND (d.refclassid <> 'pg_opfamily'::regclass OR e.amopfamily = d.refobjid)
UNION ALL
SELECT
    d.refclassid,
    d.refobjid,
    concat('FUNCTION ', e.amprocnum, ' (', format_type(e.amproclefttype, NULL), ', ',
        format_type(e.amprocrighttype, NULL), ') ', e.amproc::regprocedure)
FROM pg_depend d
JOIN pg_amproc e ON e.oid = d.objid
WHERE d.classid = 'pg_amproc'::regclass
