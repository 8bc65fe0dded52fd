-- Parts of indexes. How many values there are is not asked: the server might count.
SELECT 'i', CONVERT(TABLE_SCHEMA USING utf8mb4), CONVERT(TABLE_NAME USING utf8mb4), NON_UNIQUE,
    CONVERT(INDEX_NAME USING utf8mb4), SEQ_IN_INDEX, CONVERT(COLUMN_NAME USING utf8mb4), CONVERT(COLLATION USING utf8mb4),
    SUB_PART, CONVERT(INDEX_TYPE USING utf8mb4), CONVERT(COMMENT USING utf8mb4), CONVERT(INDEX_COMMENT USING utf8mb4),
    {used}, {expression}
FROM information_schema.STATISTICS WHERE {selected TABLE_SCHEMA}{readable TABLE_SCHEMA}{warnings 14}
