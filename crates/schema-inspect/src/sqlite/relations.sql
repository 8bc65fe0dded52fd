-- Tables and views. What keeps the rows of a virtual table is no table to anybody else.
SELECT l.name, l.type, l.wr, l.strict, l.ncol > 0, s.sql
FROM temp.pragma_table_list l
JOIN main.sqlite_schema s ON s.name = l.name AND s.type IN ('table', 'view')
WHERE l.schema = 'main' AND l.type <> 'shadow' AND l.name NOT LIKE 'sqlite!_%' ESCAPE '!'
