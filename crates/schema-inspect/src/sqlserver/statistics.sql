-- How much is in tables and indexed views, as the server keeps it. Pages have 8 KiB.
SELECT p.object_id, SUM(CASE WHEN p.index_id IN (0, 1) THEN p.[rows] ELSE 0 END) AS row_count,
    8192 * SUM(COALESCE(a.pages, 0) + COALESCE(b.pages, 0)) AS bytes
FROM sys.partitions AS p{hint}
JOIN sys.objects AS o{hint} ON o.object_id = p.object_id
LEFT JOIN (SELECT u.container_id, SUM(u.total_pages) AS pages FROM sys.allocation_units AS u{hint} WHERE u.type IN (1, 3)
    GROUP BY u.container_id) AS a ON a.container_id = p.hobt_id
LEFT JOIN (SELECT u.container_id, SUM(u.total_pages) AS pages FROM sys.allocation_units AS u{hint} WHERE u.type = 2
    GROUP BY u.container_id) AS b ON b.container_id = p.partition_id
WHERE o.type IN ('U', 'V') AND {selected}
GROUP BY p.object_id
