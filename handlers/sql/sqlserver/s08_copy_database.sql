-- SPDX-License-Identifier: Apache-2.0

-- name: s08_tables
-- Name, rows, bytes and masked texts of each table. Bytes are those of its pages. Where the server copied them whole,
-- texts are masked later.
SELECT CASE WHEN s.name = N'dbo' THEN t.name ELSE s.name + N'.' + t.name END,
       COALESCE((SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = t.object_id AND p.index_id IN (0, 1)), 0),
       COALESCE((SELECT SUM(a.used_pages)
                   FROM sys.partitions AS p
                   JOIN sys.allocation_units AS a
                     ON a.container_id = CASE WHEN a.type = 2 THEN p.partition_id ELSE p.hobt_id END
                  WHERE p.object_id = t.object_id), 0) * 8192,
       COALESCE((SELECT c.cells_changed FROM dbo.sandbox_copy AS c WHERE c.name = s.name + N'.' + t.name), 0)
  FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
 WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%'
 ORDER BY 3 DESC, 2 DESC, 1
