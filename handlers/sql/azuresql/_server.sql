-- SPDX-License-Identifier: Apache-2.0
-- Azure SQL Database. Statements about databases go out alone, without values, on connections to master.

-- name: _database_create
-- Small: the catalogue has a few rows, and an empty generation lives only until the copy begins.
CREATE DATABASE {database} (EDITION = 'Standard', SERVICE_OBJECTIVE = 'S0')

-- name: _copy_make
-- May come back at once or when the copy is there; ending the statement does not end the copy. Size as the source's.
CREATE DATABASE {database} AS COPY OF {source}

-- name: _copy_progress
-- home: master
-- Starts again at 0 when the service begins again by itself.
SELECT CAST(COALESCE(MAX(c.percent_complete), 0) AS bigint)
  FROM sys.dm_database_copies AS c JOIN sys.databases AS d ON d.database_id = c.database_id
 WHERE d.name = :generation

-- name: _copy_size
-- home: source
SELECT COALESCE(SUM(CAST(size AS bigint)), 0) * 8192 FROM sys.database_files
