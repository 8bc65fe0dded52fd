-- All that a look follows from: who reads the file, what is in its head, and the statements that it keeps.
SELECT
    sqlite_version(),
    (SELECT encoding FROM temp.pragma_encoding),
    (SELECT CAST(application_id AS text) FROM temp.pragma_application_id),
    (SELECT CAST(user_version AS text) FROM temp.pragma_user_version)
UNION ALL
SELECT s.type, s.name, s.tbl_name, s.sql FROM main.sqlite_schema s
