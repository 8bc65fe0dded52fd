-- What views are made from. To read this view takes more rights than the others do.
SELECT DISTINCT d.referencing_id, COALESCE(s.name{bin}, d.referenced_schema_name{bin}) AS used_schema,
    COALESCE(t.name{bin}, d.referenced_entity_name{bin}) AS used_name
FROM sys.sql_expression_dependencies AS d{hint}
JOIN sys.objects AS o{hint} ON o.object_id = d.referencing_id
LEFT JOIN sys.objects AS t{hint} ON t.object_id = d.referenced_id
LEFT JOIN sys.schemas AS s{hint} ON s.schema_id = t.schema_id
WHERE o.type = 'V' AND d.referencing_class = 1 AND d.referenced_class = 1 AND d.referenced_server_name IS NULL
    AND d.referenced_database_name IS NULL AND {selected}
