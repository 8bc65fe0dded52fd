SELECT l.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
FROM pragma_table_list l
JOIN pragma_table_xinfo(l.name) c
WHERE l.schema = 'main' AND l.name = $1
ORDER BY c.cid
