SELECT s.tbl_name, s.name, s.sql FROM main.sqlite_schema s WHERE s.type = 'trigger'
