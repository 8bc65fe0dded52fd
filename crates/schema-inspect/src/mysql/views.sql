-- Views, and what they are made from where the server says so.
SELECT 'v', CONVERT(TABLE_SCHEMA USING utf8mb4), CONVERT(TABLE_NAME USING utf8mb4), CONVERT(VIEW_DEFINITION USING utf8mb4),
    CONVERT(CHECK_OPTION USING utf8mb4), CONVERT(DEFINER USING utf8mb4), CONVERT(SECURITY_TYPE USING utf8mb4), {algorithm},
    CONVERT(COLLATION_CONNECTION USING utf8mb4)
FROM information_schema.VIEWS WHERE {selected TABLE_SCHEMA}{usage}
