-- What else has a name, with the statements that make it, which the server writes out for none.
-- Those of extensions are left aside before anything is made of them: there may be thousands.
UNION ALL
SELECT
    o.namespace::text,
    o.name::text,
    o.signature,
    o.kind,
    NULL, NULL, NULL, NULL, NULL, NULL,
    o.definition,
    pg_get_userbyid(o.owner)::text,
    de.description,
    NULL
FROM (
    SELECT
        'pg_collation'::regclass AS catalog,
        co.oid,
        n.nspname AS namespace,
        co.collname AS name,
        NULL AS signature,
        'collation' AS kind,
        co.collowner AS owner,
        concat('CREATE COLLATION ', quote_ident(n.nspname), '.', quote_ident(co.collname), ' (',
            concat_ws(', ',
                concat('PROVIDER = ', CASE co.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END),
                'DETERMINISTIC = ' || CASE WHEN NOT co.collisdeterministic THEN 'false' END,
                CASE
                    WHEN co.collprovider = 'c' AND co.collcollate IS DISTINCT FROM co.collctype
                    THEN concat('LC_COLLATE = ', quote_literal(co.collcollate), ', LC_CTYPE = ', quote_literal(co.collctype))
                    -- The column has another name in some versions, and another place in others.
                    ELSE concat('LOCALE = ', quote_literal(coalesce(
                        to_jsonb(co) ->> 'colllocale', to_jsonb(co) ->> 'colliculocale', co.collcollate)))
                END,
                'RULES = ' || quote_literal(to_jsonb(co) ->> 'collicurules')),
            ')') AS definition
    FROM pg_collation co
    JOIN pg_namespace n ON n.oid = co.collnamespace
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_collation'::regclass AND x.objid = co.oid AND x.deptype IN ('e', 'i'))
        AND co.collencoding IN (-1, (SELECT d.encoding FROM pg_database d WHERE d.datname = current_database())) AND {selected}
    UNION ALL
    SELECT
        'pg_ts_parser'::regclass, ps.oid, n.nspname, ps.prsname, NULL, 'text search parser', NULL,
        concat('CREATE TEXT SEARCH PARSER ', quote_ident(n.nspname), '.', quote_ident(ps.prsname), ' (START = ', ps.prsstart,
            ', GETTOKEN = ', ps.prstoken, ', END = ', ps.prsend, ', LEXTYPES = ', ps.prslextype,
            CASE WHEN ps.prsheadline::oid <> 0 THEN concat(', HEADLINE = ', ps.prsheadline) END, ')')
    FROM pg_ts_parser ps
    JOIN pg_namespace n ON n.oid = ps.prsnamespace
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_ts_parser'::regclass AND x.objid = ps.oid AND x.deptype IN ('e', 'i'))
        AND {selected}
    UNION ALL
    SELECT
        'pg_ts_template'::regclass, te.oid, n.nspname, te.tmplname, NULL, 'text search template', NULL,
        concat('CREATE TEXT SEARCH TEMPLATE ', quote_ident(n.nspname), '.', quote_ident(te.tmplname), ' (',
            CASE WHEN te.tmplinit::oid <> 0 THEN concat('INIT = ', te.tmplinit, ', ') END, 'LEXIZE = ', te.tmpllexize, ')')
    FROM pg_ts_template te
    JOIN pg_namespace n ON n.oid = te.tmplnamespace
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_ts_template'::regclass AND x.objid = te.oid AND x.deptype IN ('e', 'i'))
        AND {selected}
    UNION ALL
    SELECT
        'pg_ts_dict'::regclass, di.oid, n.nspname, di.dictname, NULL, 'text search dictionary', di.dictowner,
        concat('CREATE TEXT SEARCH DICTIONARY ', quote_ident(n.nspname), '.', quote_ident(di.dictname), ' (TEMPLATE = ',
            quote_ident(home.nspname), '.', quote_ident(te.tmplname), ', ' || di.dictinitoption, ')')
    FROM pg_ts_dict di
    JOIN pg_namespace n ON n.oid = di.dictnamespace
    JOIN pg_ts_template te ON te.oid = di.dicttemplate
    JOIN pg_namespace home ON home.oid = te.tmplnamespace
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_ts_dict'::regclass AND x.objid = di.oid AND x.deptype IN ('e', 'i'))
        AND {selected}
    UNION ALL
    SELECT
        'pg_ts_config'::regclass, cf.oid, n.nspname, cf.cfgname, NULL, 'text search configuration', cf.cfgowner,
        concat('CREATE TEXT SEARCH CONFIGURATION ', quote_ident(n.nspname), '.', quote_ident(cf.cfgname), ' (PARSER = ',
            quote_ident(home.nspname), '.', quote_ident(ps.prsname), ')',
            (SELECT string_agg(concat(E';\nALTER TEXT SEARCH CONFIGURATION ', quote_ident(n.nspname), '.', quote_ident(cf.cfgname),
                    ' ADD MAPPING FOR ', m.tokens, ' WITH ', m.dictionaries), '' ORDER BY m.first)
                FROM (
                    SELECT min(t.token) AS first, string_agg(t.alias, ', ' ORDER BY t.token) AS tokens, t.dictionaries
                    FROM (
                        SELECT
                            m.maptokentype AS token,
                            quote_ident(k.alias) AS alias,
                            string_agg(concat(quote_ident(its.nspname), '.', quote_ident(di.dictname)), ', ' ORDER BY m.mapseqno)
                                AS dictionaries
                        FROM pg_ts_config_map m
                        JOIN pg_ts_dict di ON di.oid = m.mapdict
                        JOIN pg_namespace its ON its.oid = di.dictnamespace
                        JOIN ts_token_type(cf.cfgparser) k ON k.tokid = m.maptokentype
                        WHERE m.mapcfg = cf.oid
                        GROUP BY m.maptokentype, k.alias
                    ) t
                    GROUP BY t.dictionaries
                ) m))
    FROM pg_ts_config cf
    JOIN pg_namespace n ON n.oid = cf.cfgnamespace
    JOIN pg_ts_parser ps ON ps.oid = cf.cfgparser
    JOIN pg_namespace home ON home.oid = ps.prsnamespace
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_ts_config'::regclass AND x.objid = cf.oid AND x.deptype IN ('e', 'i'))
        AND {selected}
    UNION ALL
    -- Nobody needs one that stands for an operator which was never made.
    SELECT
        'pg_operator'::regclass, o.oid, n.nspname, o.oprname,
        concat('(', coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE'), ', ',
            coalesce(format_type(nullif(o.oprright, 0), NULL), 'NONE'), ')'),
        'operator', o.oprowner,
        concat('CREATE OPERATOR ', quote_ident(n.nspname), '.', o.oprname, ' (',
            concat_ws(', ',
                concat('FUNCTION = ', o.oprcode),
                'LEFTARG = ' || format_type(nullif(o.oprleft, 0), NULL),
                'RIGHTARG = ' || format_type(nullif(o.oprright, 0), NULL),
                (SELECT concat('COMMUTATOR = OPERATOR(', quote_ident(home.nspname), '.', other.oprname, ')')
                    FROM pg_operator other JOIN pg_namespace home ON home.oid = other.oprnamespace WHERE other.oid = o.oprcom),
                (SELECT concat('NEGATOR = OPERATOR(', quote_ident(home.nspname), '.', other.oprname, ')')
                    FROM pg_operator other JOIN pg_namespace home ON home.oid = other.oprnamespace WHERE other.oid = o.oprnegate),
                CASE WHEN o.oprrest::oid <> 0 THEN concat('RESTRICT = ', o.oprrest) END,
                CASE WHEN o.oprjoin::oid <> 0 THEN concat('JOIN = ', o.oprjoin) END,
                CASE WHEN o.oprcanhash THEN 'HASHES' END,
                CASE WHEN o.oprcanmerge THEN 'MERGES' END),
            ')')
    FROM pg_operator o
    JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_operator'::regclass AND x.objid = o.oid AND x.deptype IN ('e', 'i'))
        AND o.oprcode::oid <> 0 AND {selected}
    UNION ALL
    SELECT
        'pg_opfamily'::regclass, fa.oid, n.nspname, fa.opfname, concat('USING ', quote_ident(am.amname)), 'operator family',
        fa.opfowner,
        concat('CREATE OPERATOR FAMILY ', quote_ident(n.nspname), '.', quote_ident(fa.opfname), ' USING ', quote_ident(am.amname),
            E';\nALTER OPERATOR FAMILY ' || quote_ident(n.nspname) || '.' || quote_ident(fa.opfname) || ' USING '
                || quote_ident(am.amname) || ' ADD ' || items.text)
    FROM pg_opfamily fa
    JOIN pg_namespace n ON n.oid = fa.opfnamespace
    JOIN pg_am am ON am.oid = fa.opfmethod
    CROSS JOIN LATERAL (
        SELECT string_agg(i.text, ', ' ORDER BY i.text COLLATE "C") AS text
        FROM ({items}) i
        WHERE i.refclassid = 'pg_opfamily'::regclass AND i.refobjid = fa.oid
    ) items
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_opfamily'::regclass AND x.objid = fa.oid AND x.deptype IN ('e', 'i'))
        AND {selected}
    UNION ALL
    SELECT
        'pg_opclass'::regclass, cl.oid, n.nspname, cl.opcname, concat('USING ', quote_ident(am.amname)), 'operator class',
        cl.opcowner,
        concat('CREATE OPERATOR CLASS ', quote_ident(n.nspname), '.', quote_ident(cl.opcname),
            CASE WHEN cl.opcdefault THEN ' DEFAULT' END, ' FOR TYPE ', format_type(cl.opcintype, NULL), ' USING ',
            quote_ident(am.amname), ' FAMILY ', quote_ident(home.nspname), '.', quote_ident(fa.opfname), ' AS ',
            concat_ws(', ',
                CASE WHEN cl.opckeytype <> 0 OR items.text IS NULL
                    THEN concat('STORAGE ', format_type(coalesce(nullif(cl.opckeytype, 0), cl.opcintype), NULL)) END,
                items.text))
    FROM pg_opclass cl
    JOIN pg_namespace n ON n.oid = cl.opcnamespace
    JOIN pg_am am ON am.oid = cl.opcmethod
    JOIN pg_opfamily fa ON fa.oid = cl.opcfamily
    JOIN pg_namespace home ON home.oid = fa.opfnamespace
    CROSS JOIN LATERAL (
        SELECT string_agg(i.text, ', ' ORDER BY i.text COLLATE "C") AS text
        FROM ({items}) i
        WHERE i.refclassid = 'pg_opclass'::regclass AND i.refobjid = cl.oid
    ) items
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_opclass'::regclass AND x.objid = cl.oid AND x.deptype IN ('e', 'i'))
        AND {selected}
    UNION ALL
    -- A cast is in no namespace; it belongs to those of what it leads from, to and through.
    SELECT
        'pg_cast'::regclass, ca.oid, '', concat(format_type(ca.castsource, NULL), ' AS ', format_type(ca.casttarget, NULL)), NULL,
        'cast', NULL,
        concat('CREATE CAST (', format_type(ca.castsource, NULL), ' AS ', format_type(ca.casttarget, NULL), ') ',
            CASE ca.castmethod
                WHEN 'f' THEN concat('WITH FUNCTION ', ca.castfunc::regprocedure)
                WHEN 'i' THEN 'WITH INOUT'
                ELSE 'WITHOUT FUNCTION'
            END,
            CASE ca.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END)
    FROM pg_cast ca
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_cast'::regclass AND x.objid = ca.oid AND x.deptype IN ('e', 'i'))
        AND ca.oid >= 16384 AND ($1::pg_catalog.text IS NULL OR EXISTS (
        SELECT
        FROM pg_namespace n
        WHERE n.oid IN (
                (SELECT t.typnamespace FROM pg_type t WHERE t.oid = ca.castsource),
                (SELECT t.typnamespace FROM pg_type t WHERE t.oid = ca.casttarget),
                (SELECT p.pronamespace FROM pg_proc p WHERE p.oid = ca.castfunc))
            AND {selected}))
    UNION ALL
    -- Types whose values functions read and write, and types that were announced and never made.
    SELECT
        'pg_type'::regclass, t.oid, n.nspname, t.typname, NULL, 'base type', t.typowner, NULL
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE NOT EXISTS (
            SELECT FROM pg_depend x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype IN ('e', 'i'))
        AND (t.typtype = 'b' OR t.typtype = 'p') AND t.typinput <> 'array_in'::regproc AND {selected}
) o
LEFT JOIN pg_description de ON de.classoid = o.catalog AND de.objoid = o.oid AND de.objsubid = 0
