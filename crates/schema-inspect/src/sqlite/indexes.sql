-- The parts of each index; those that are not in its key are how it finds the row.
SELECT l.name, i.name, i."unique", i.origin, i.partial, p.cid, p.name, p."desc", p.coll, s.sql
FROM temp.pragma_table_list l
JOIN temp.pragma_index_list(l.name) i
JOIN temp.pragma_index_xinfo(i.name) p
LEFT JOIN main.sqlite_schema s ON s.type = 'index' AND s.name = i.name
WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND p.key = 1
ORDER BY l.name, i.name, p.seqno
