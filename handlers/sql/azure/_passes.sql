-- SPDX-License-Identifier: Apache-2.0

-- name: _mask_settle
-- Indexes and heaps that were rewritten get new pages. Free space and the log are the service's: it has no
-- sp_clean_db_free_space to be relied on, recovery is always FULL, and its own backups cut the log.
BEGIN
    DECLARE @sql nvarchar(max);
    SELECT @sql = COALESCE(STRING_AGG(CAST(N'ALTER INDEX ALL ON ' + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name) + N' REBUILD;'
                                  AS nvarchar(max)), N''), N'')
      FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
     WHERE t.is_ms_shipped = 0 AND t.is_external = 0 AND t.is_memory_optimized = 0
       AND EXISTS (SELECT 1 FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.index_id > 0);
    EXEC sys.sp_executesql @sql;
    SELECT @sql = COALESCE(STRING_AGG(CAST(N'ALTER TABLE ' + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name) + N' REBUILD;'
                                  AS nvarchar(max)), N''), N'')
      FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
     WHERE t.is_ms_shipped = 0 AND t.is_external = 0 AND t.is_memory_optimized = 0
       AND EXISTS (SELECT 1 FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.index_id = 0);
    EXEC sys.sp_executesql @sql;
    EXEC sys.sp_updatestats;
END
