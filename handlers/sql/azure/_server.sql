-- SPDX-License-Identifier: Apache-2.0
-- What Azure SQL Database and Azure SQL Managed Instance say alike, and a server of one's own does not.

-- name: _database_owned
-- Who is not dbo would lock himself out by what follows.
SELECT CASE WHEN USER_NAME() = N'dbo' THEN 1 ELSE 0 END

-- name: _database_close
-- In the database itself. Everybody is of the role public, users that come later too; only dbo stays in. Nothing else of
-- users and permissions changes, so opening gives back what was.
DENY CONNECT TO public

-- name: _database_open
REVOKE CONNECT FROM public

-- name: _sessions
-- runs: its rows
-- Who is in stays in: DENY is looked at when one connects. The cloner's own sessions are spared unless all have to go.
SELECT N'KILL ' + CAST(s.session_id AS nvarchar(10)) FROM sys.dm_exec_sessions AS s
 WHERE s.database_id = DB_ID(:database) AND s.is_user_process = 1 AND s.session_id <> @@SPID
   AND (:all = 1 OR s.original_login_name <> ORIGINAL_LOGIN())

-- name: _database_drop
-- Alone in its batch, without values, and without IF EXISTS.
DROP DATABASE {database}

-- name: _copy_under_way
-- Operations of that database that the service has taken on and not finished, though sys.databases may not show it yet.
SELECT COUNT(*) FROM sys.dm_operation_status
 WHERE major_resource_id = :database AND state IN (0, 1) AND operation NOT LIKE N'DROP%'

-- name: _copy_error
-- Of the last one that failed; kept for about an hour.
SELECT TOP (1) error_code FROM sys.dm_operation_status
 WHERE major_resource_id = :database AND state = 3 ORDER BY start_time DESC
