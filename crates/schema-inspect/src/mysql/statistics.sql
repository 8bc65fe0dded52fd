-- How much is in tables. What nobody has counted lately the server asks of the table itself, whose lock it may have to wait for.
SELECT /*+ SET_VAR(lock_wait_timeout = 1) MAX_EXECUTION_TIME({limit}) */ TABLE_SCHEMA, TABLE_NAME, TABLE_ROWS,
    DATA_LENGTH + INDEX_LENGTH
FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND {selected TABLE_SCHEMA}
