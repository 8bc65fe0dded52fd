-- Tables, views and sequences. MySQL keeps all of this in its dictionary; MariaDB opens each table, and says in the comment why it could not.
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, ROW_FORMAT, TABLE_COLLATION, CREATE_OPTIONS, TABLE_COMMENT,
    {rows} AS table_rows, {bytes} AS table_bytes
FROM information_schema.TABLES WHERE {selected TABLE_SCHEMA}
