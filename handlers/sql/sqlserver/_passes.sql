-- SPDX-License-Identifier: Apache-2.0
-- The generation's tables as a pass over all texts sees them, and what is done to pages when masking is over.

-- name: _mask_settle
-- Old texts are still in free space of the pages, in ghost rows and in the log: indexes and heaps that were rewritten
-- get new pages, free space is cleaned, and the log, of no use in SIMPLE recovery behind a checkpoint, is cut.
BEGIN
    DECLARE @sql nvarchar(max), @name sysname = DB_NAME();
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
    EXEC sys.sp_clean_db_free_space @dbname = @name;
    EXEC sys.sp_executesql N'CHECKPOINT';
    SELECT @sql = COALESCE(STRING_AGG(CAST(N'DBCC SHRINKFILE (' + CAST(file_id AS nvarchar(10)) + N', 1) WITH NO_INFOMSGS;'
                                  AS nvarchar(max)), N''), N'')
      FROM sys.database_files WHERE type = 1;
    EXEC sys.sp_executesql @sql;
END
