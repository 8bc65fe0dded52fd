-- Functions and procedures, and what else is told as the statements that make it, but for what extensions have brought along.
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
    CASE WHEN p.prokind = 'a' THEN concat(
            -- The server writes out no statement that makes an aggregate.
            'CREATE OR REPLACE AGGREGATE ', quote_ident(n.nspname), '.', quote_ident(p.proname), '(',
            coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'), ') (',
            array_to_string(ARRAY[
                concat('SFUNC = ', a.aggtransfn),
                concat('STYPE = ', format_type(a.aggtranstype, NULL)),
                CASE WHEN a.aggtransspace > 0 THEN concat('SSPACE = ', a.aggtransspace) END,
                CASE WHEN a.aggfinalfn::oid <> 0 THEN concat('FINALFUNC = ', a.aggfinalfn,
                    CASE WHEN a.aggfinalextra THEN ', FINALFUNC_EXTRA' END, ', FINALFUNC_MODIFY = ',
                    CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END) END,
                CASE WHEN a.aggcombinefn::oid <> 0 THEN concat('COMBINEFUNC = ', a.aggcombinefn) END,
                CASE WHEN a.aggserialfn::oid <> 0 THEN concat('SERIALFUNC = ', a.aggserialfn) END,
                CASE WHEN a.aggdeserialfn::oid <> 0 THEN concat('DESERIALFUNC = ', a.aggdeserialfn) END,
                'INITCOND = ' || quote_literal(a.agginitval),
                CASE WHEN a.aggmtransfn::oid <> 0 THEN concat('MSFUNC = ', a.aggmtransfn, ', MINVFUNC = ', a.aggminvtransfn,
                    ', MSTYPE = ', format_type(a.aggmtranstype, NULL)) END,
                CASE WHEN a.aggmtransspace > 0 THEN concat('MSSPACE = ', a.aggmtransspace) END,
                CASE WHEN a.aggmfinalfn::oid <> 0 THEN concat('MFINALFUNC = ', a.aggmfinalfn,
                    CASE WHEN a.aggmfinalextra THEN ', MFINALFUNC_EXTRA' END, ', MFINALFUNC_MODIFY = ',
                    CASE a.aggmfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END) END,
                'MINITCOND = ' || quote_literal(a.aggminitval),
                (SELECT concat('SORTOP = OPERATOR(', quote_ident(home.nspname), '.', o.oprname, ')')
                    FROM pg_operator o JOIN pg_namespace home ON home.oid = o.oprnamespace WHERE o.oid = a.aggsortop),
                CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END,
                CASE a.aggkind WHEN 'h' THEN 'HYPOTHETICAL' END
            ], ', '), ')')
        WHEN NOT ({has_parsed_body} AND EXISTS (
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
LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
LEFT JOIN pg_description de ON de.classoid = 'pg_proc'::regclass AND de.objoid = p.oid AND de.objsubid = 0
WHERE NOT EXISTS (
        SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e')
    AND NOT EXISTS (
        SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'i')
    AND {selected}
{native_objects}
