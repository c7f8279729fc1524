-- SPDX-License-Identifier: Apache-2.0
-- Azure SQL Managed Instance: backups go to a container of blobs and come from there, restores take no options.

-- name: _backup
-- COPY_ONLY is the only kind there is. Larger blocks allow a blob of 195 GB instead of 48.
BACKUP DATABASE {database} TO URL = :file
  WITH COPY_ONLY, FORMAT, CHECKSUM, COMPRESSION, STATS = 5, MAXTRANSFERSIZE = 4194304, BLOCKSIZE = 65536

-- name: _copy_make
RESTORE DATABASE {database} FROM URL = :file

-- name: _copy_progress
-- The statement's own session, as long as it is there; what the service says of the operation goes on without it.
SELECT CAST(COALESCE(MAX(p.done), 0) AS bigint)
  FROM (SELECT r.percent_complete AS done FROM sys.dm_exec_requests AS r
         WHERE r.session_id = :session AND r.command LIKE N'%DATABASE%'
        UNION ALL
        SELECT o.percent_complete FROM sys.dm_operation_status AS o
         WHERE o.major_resource_id = :generation AND o.state IN (0, 1)) AS p
