-- Of what SQLite has understood: one view whose table is gone would be the end of the whole question.
SELECT l.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
FROM temp.pragma_table_list l
JOIN temp.pragma_table_xinfo(l.name) c
WHERE l.schema = 'main' AND l.type <> 'shadow' AND l.ncol > 0 AND l.name NOT LIKE 'sqlite!_%' ESCAPE '!'
ORDER BY l.name, c.cid
