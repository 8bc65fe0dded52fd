SELECT
    sqlite_version(),
    (SELECT encoding FROM pragma_encoding),
    (SELECT application_id FROM pragma_application_id),
    (SELECT user_version FROM pragma_user_version)
