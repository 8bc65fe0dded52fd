SELECT l.name, f.id, f."table", f."from", f."to", f.on_update, f.on_delete
FROM temp.pragma_table_list l
JOIN temp.pragma_foreign_key_list(l.name) f
WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite!_%' ESCAPE '!'
ORDER BY l.name, f.id, f.seq
