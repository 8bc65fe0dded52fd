-- The database, its schemas, and what is said of things by their numbers: who may do what with them, and comments.
SELECT 'd' AS kind, CONVERT(int, d.compatibility_level) AS class, 0 AS major_id, 0 AS minor_id,
    CONVERT(nvarchar(4000), d.service_broker_guid){bin} AS told, CONVERT(nvarchar(128), NULL){bin} AS grantee,
    CONVERT(nvarchar(128), NULL){bin} AS grantor, '' AS state
FROM sys.databases AS d{hint} WHERE d.name = DB_NAME()
UNION ALL
SELECT 's', 0, s.schema_id, 0, CONVERT(nvarchar(4000), s.name){bin}, p.name{bin}, CONVERT(nvarchar(128), NULL){bin}, ''
FROM sys.schemas AS s{hint}
LEFT JOIN sys.database_principals AS p{hint} ON p.principal_id = s.principal_id
UNION ALL
SELECT 'g', CONVERT(int, g.class), g.major_id, g.minor_id, CONVERT(nvarchar(4000), g.permission_name){bin}, e.name{bin},
    r.name{bin}, g.state
FROM sys.database_permissions AS g{hint}
JOIN sys.database_principals AS e{hint} ON e.principal_id = g.grantee_principal_id
LEFT JOIN sys.database_principals AS r{hint} ON r.principal_id = g.grantor_principal_id
WHERE g.class IN (1, 3, 6) AND g.major_id > 0 AND g.state IN ('D', 'G', 'W')
UNION ALL
SELECT 'c', CONVERT(int, x.class), x.major_id, x.minor_id, CASE CONVERT(nvarchar(128), SQL_VARIANT_PROPERTY(x.value, 'BaseType'))
        WHEN N'binary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), x.value), 1)
        WHEN N'varbinary' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), x.value), 1)
        ELSE CONVERT(nvarchar(4000), x.value) END{bin},
    CONVERT(nvarchar(128), NULL){bin}, CONVERT(nvarchar(128), NULL){bin}, ''
FROM sys.extended_properties AS x{hint}
WHERE x.class IN (0, 1, 3, 6, 7) AND x.name = N'MS_Description'
