-- SPDX-License-Identifier: Apache-2.0
-- What the server cannot say itself, in a database of its own (sandbox_server): who made which generation, and the
-- greatest token that acted on it. Databases, logins, users and permissions are the server's own catalogue.
-- Sections whose name begins with an underscore belong to the adapter, the others to the steps.

-- name: _server_schema
IF OBJECT_ID(N'dbo.sandbox_identity', N'U') IS NULL
    CREATE TABLE dbo.sandbox_identity (
        one integer NOT NULL PRIMARY KEY CHECK (one = 1),
        id  nvarchar(79) NOT NULL
    );
IF OBJECT_ID(N'dbo.sandbox_database', N'U') IS NULL
    CREATE TABLE dbo.sandbox_database (
        name        nvarchar(63) NOT NULL PRIMARY KEY,
        created_at  datetime2(0) NOT NULL DEFAULT (SYSUTCDATETIME()),
        owner       nvarchar(100) NOT NULL DEFAULT (N''),
        quarantined bit NOT NULL DEFAULT (0),
        last_token  bigint NOT NULL DEFAULT (0),
        copy_run    integer NOT NULL DEFAULT (0),    -- of this run is what follows
        copy_phase  integer NOT NULL DEFAULT (0),    -- done so far: enum reached of engine_copy.h
        copy_token  bigint NOT NULL DEFAULT (0),     -- of the backup's file
        source_ctx  nvarchar(100) NOT NULL DEFAULT (N'')
    );
IF OBJECT_ID(N'dbo.sandbox_generation_token', N'U') IS NULL
    CREATE TABLE dbo.sandbox_generation_token (
        name  nvarchar(63) NOT NULL PRIMARY KEY,
        token bigint NOT NULL
    )

-- name: _server_put_identity
INSERT INTO dbo.sandbox_identity (one, id)
SELECT 1, :id WHERE NOT EXISTS (SELECT 1 FROM dbo.sandbox_identity WITH (UPDLOCK, HOLDLOCK))

-- name: _server_identity
SELECT id FROM dbo.sandbox_identity

-- name: _server_token
-- The lock is held to the end of the transaction that looks: two owners cannot both find the old token.
SELECT token FROM dbo.sandbox_generation_token WITH (UPDLOCK, HOLDLOCK) WHERE name = :name

-- name: _server_put_token
UPDATE dbo.sandbox_generation_token SET token = :token WHERE name = :name AND token < :token;
INSERT INTO dbo.sandbox_generation_token (name, token)
SELECT :name, :token
 WHERE NOT EXISTS (SELECT 1 FROM dbo.sandbox_generation_token WITH (UPDLOCK, HOLDLOCK) WHERE name = :name);
UPDATE dbo.sandbox_database SET last_token = :token WHERE name = :name AND last_token < :token

-- name: _server_owner
SELECT owner FROM dbo.sandbox_database WHERE name = :name

-- name: _server_put_database
INSERT INTO dbo.sandbox_database (name, owner, quarantined)
SELECT :name, :owner, 1
 WHERE NOT EXISTS (SELECT 1 FROM dbo.sandbox_database WITH (UPDLOCK, HOLDLOCK) WHERE name = :name)

-- name: _server_quarantine
UPDATE dbo.sandbox_database SET quarantined = :quarantined WHERE name = :name;
INSERT INTO dbo.sandbox_database (name, quarantined)
SELECT :name, :quarantined
 WHERE NOT EXISTS (SELECT 1 FROM dbo.sandbox_database WITH (UPDLOCK, HOLDLOCK) WHERE name = :name)

-- name: _server_forget_database
DELETE FROM dbo.sandbox_database WHERE name = :name

-- Databases themselves: none of these may run in a transaction (226, 3021), so each is a statement of its own on a
-- connection to master.

-- name: _database_exists
SELECT COUNT(*) FROM sys.databases WHERE name = :database

-- name: _database_identity
-- An id is used again after a drop, so the moment of making belongs to it.
SELECT CONCAT(database_id, N':', CONVERT(nvarchar(23), create_date, 126)) FROM sys.databases WHERE name = :database

-- name: _database_state
SELECT state_desc FROM sys.databases WHERE name = :database

-- name: _database_create
IF DB_ID(:database) IS NULL
    CREATE DATABASE {database}

-- name: _database_prepare
-- SIMPLE gives log space back at each checkpoint; statistics that are made in the background would take the only slot.
ALTER DATABASE {database} SET RECOVERY SIMPLE;
ALTER DATABASE {database} SET AUTO_UPDATE_STATISTICS_ASYNC OFF

-- name: _database_close
-- All but db_owner, dbcreator and sysadmin are out; what they were doing is rolled back.
ALTER DATABASE {database} SET RESTRICTED_USER WITH ROLLBACK IMMEDIATE

-- name: _database_open
ALTER DATABASE {database} SET MULTI_USER

-- name: _database_drop
-- Left in RESTORING by a broken restore it cannot be set to anything, but it can be dropped.
IF DATABASEPROPERTYEX(:database, 'Status') = N'ONLINE'
    ALTER DATABASE {database} SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
IF DB_ID(:database) IS NOT NULL
    DROP DATABASE {database}

-- name: _backup
-- COPY_ONLY leaves the production's own chain of backups alone.
BACKUP DATABASE {database} TO DISK = :file
  WITH COPY_ONLY, INIT, FORMAT, CHECKSUM, COMPRESSION, STATS = 5

-- name: _backup_files
RESTORE FILELISTONLY FROM DISK = :file

-- name: _default_folders
SELECT CONVERT(nvarchar(260), SERVERPROPERTY('InstanceDefaultDataPath')),
       CONVERT(nvarchar(260), SERVERPROPERTY('InstanceDefaultLogPath'))

-- name: _backup_forget
-- The file holds every address. Removed by the server, which wrote it; 0 is a file of a backup.
EXEC sys.xp_delete_file 0, :file

-- name: _copy_progress
-- percent_complete of another session needs VIEW SERVER STATE; without it there is no row.
SELECT CAST(COALESCE(MAX(percent_complete), 0) AS bigint) FROM sys.dm_exec_requests
 WHERE session_id = :session AND command LIKE N'%DATABASE%'

-- name: _copy_size
SELECT COALESCE(SUM(CAST(size AS bigint)), 0) * 8192 FROM sys.master_files WHERE database_id = DB_ID(:database)

-- name: _copy_state
SELECT copy_phase, copy_token, source_ctx FROM dbo.sandbox_database WHERE name = :name AND copy_run = :run

-- name: _copy_stamp
-- What a copy that is not finished would bear as its stamp.
SELECT source_ctx, owner, copy_run, last_token FROM dbo.sandbox_database
 WHERE name = :name AND owner <> N'' AND copy_phase BETWEEN 1 AND 3

-- name: _copy_file
-- Whose backup is still there: the copy is not finished.
SELECT copy_token FROM dbo.sandbox_database WHERE name = :name AND copy_token > 0 AND copy_phase < 4

-- name: _copy_put_state
UPDATE dbo.sandbox_database
   SET copy_run = :run, copy_phase = :phase, copy_token = :token, source_ctx = :source_ctx
 WHERE name = :name

-- name: _engine_edition
-- 5 Azure SQL Database, 8 Managed Instance, others are SQL Server
SELECT CONVERT(integer, SERVERPROPERTY('EngineEdition'))
