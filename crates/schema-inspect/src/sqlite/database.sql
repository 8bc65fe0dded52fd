SELECT
    sqlite_version(),
    (SELECT encoding FROM temp.pragma_encoding),
    (SELECT application_id FROM temp.pragma_application_id),
    (SELECT user_version FROM temp.pragma_user_version)
