-- SPDX-License-Identifier: Apache-2.0
-- What a sandbox database holds besides the tenant's tables: its stamp and the ledger of the steps. Tables named
-- sandbox_* are never masked or scanned.

-- name: _core_schema
IF OBJECT_ID(N'dbo.sandbox_stamp', N'U') IS NULL
    CREATE TABLE dbo.sandbox_stamp (
        one        integer NOT NULL PRIMARY KEY CHECK (one = 1),
        source_ctx nvarchar(100) NOT NULL,
        target_ctx nvarchar(100) NOT NULL,
        clone_id   nvarchar(100) NOT NULL,
        run        integer NOT NULL,
        token      bigint NOT NULL,
        masked_at  nvarchar(31) NOT NULL DEFAULT (N''),
        proof      nvarchar(255) NOT NULL DEFAULT (N'')
    );
IF OBJECT_ID(N'dbo.sandbox_ledger', N'U') IS NULL
    CREATE TABLE dbo.sandbox_ledger (
        clone_id   nvarchar(100) NOT NULL,
        run        integer NOT NULL,
        step       nvarchar(100) NOT NULL,
        token      bigint NOT NULL,
        rows       bigint NOT NULL,
        cursor_at  nvarchar(511) NOT NULL,
        updated_at datetime2(0) NOT NULL,
        PRIMARY KEY (clone_id, run, step)
    );
-- Of a copy by rows alone.
IF OBJECT_ID(N'dbo.sandbox_copy_run', N'U') IS NULL
    CREATE TABLE dbo.sandbox_copy_run (
        one           integer NOT NULL PRIMARY KEY CHECK (one = 1),
        run           integer NOT NULL,
        phase         integer NOT NULL, -- enum copy_phase of copy.h
        source_schema bigint NOT NULL,  -- of the source's tables that were made
        starts        integer NOT NULL  -- how often the copy began because they changed
    );
IF OBJECT_ID(N'dbo.sandbox_copy', N'U') IS NULL
    CREATE TABLE dbo.sandbox_copy (
        n             integer NOT NULL IDENTITY PRIMARY KEY,
        name          nvarchar(257) NOT NULL UNIQUE,
        phase         integer NOT NULL DEFAULT (0), -- enum table_phase of copy.h
        snapshot      bigint NOT NULL DEFAULT (0),  -- of the source it was read in; -1 more than one
        expected      bigint NOT NULL DEFAULT (0),
        last_key      bigint NULL,                  -- not NULL: begun, behind at_text
        rows          bigint NOT NULL DEFAULT (0),
        bytes         bigint NOT NULL DEFAULT (0),
        cells_changed bigint NOT NULL DEFAULT (0),
        checksum      bigint NOT NULL DEFAULT (0),  -- of the masked rows as they were written
        back_key      bigint NULL,
        back_rows     bigint NOT NULL DEFAULT (0),
        back_checksum bigint NOT NULL DEFAULT (0),  -- of the rows as they were read back
        at_text       nvarchar(max) NULL,
        back_text     nvarchar(max) NULL
    )

-- name: _stamp_get
-- needs: sandbox_stamp
SELECT source_ctx, target_ctx, clone_id, run, token, masked_at, proof FROM dbo.sandbox_stamp WHERE one = 1

-- name: _stamp_put
INSERT INTO dbo.sandbox_stamp (one, source_ctx, target_ctx, clone_id, run, token)
SELECT 1, :source_ctx, :target_ctx, :clone_id, :run, :token
 WHERE NOT EXISTS (SELECT 1 FROM dbo.sandbox_stamp WITH (UPDLOCK, HOLDLOCK))

-- name: _stamp_raise
UPDATE dbo.sandbox_stamp SET token = :token, run = CASE WHEN run < :run THEN :run ELSE run END
 WHERE one = 1 AND token <= :token

-- name: _stamp_proof
UPDATE dbo.sandbox_stamp SET masked_at = :masked_at, proof = :proof WHERE one = 1

-- name: _ledger_get
-- needs: sandbox_ledger
SELECT token, rows, cursor_at FROM dbo.sandbox_ledger WHERE clone_id = :clone_id AND run = :run AND step = :step

-- name: _ledger_add
UPDATE dbo.sandbox_ledger WITH (UPDLOCK, HOLDLOCK)
   SET token = :token, rows = rows + :rows, updated_at = SYSUTCDATETIME()
 WHERE clone_id = :clone_id AND run = :run AND step = :step;
INSERT INTO dbo.sandbox_ledger (clone_id, run, step, token, rows, cursor_at, updated_at)
SELECT :clone_id, :run, :step, :token, :rows, N'', SYSUTCDATETIME()
 WHERE NOT EXISTS (SELECT 1 FROM dbo.sandbox_ledger WITH (UPDLOCK, HOLDLOCK)
                    WHERE clone_id = :clone_id AND run = :run AND step = :step)

-- name: _ledger_set
UPDATE dbo.sandbox_ledger WITH (UPDLOCK, HOLDLOCK)
   SET token = :token, rows = :rows, cursor_at = :cursor, updated_at = SYSUTCDATETIME()
 WHERE clone_id = :clone_id AND run = :run AND step = :step;
INSERT INTO dbo.sandbox_ledger (clone_id, run, step, token, rows, cursor_at, updated_at)
SELECT :clone_id, :run, :step, :token, :rows, :cursor, SYSUTCDATETIME()
 WHERE NOT EXISTS (SELECT 1 FROM dbo.sandbox_ledger WITH (UPDLOCK, HOLDLOCK)
                    WHERE clone_id = :clone_id AND run = :run AND step = :step)

-- name: _core_forget_others
-- A source that was a sandbox itself brings its own stamp along.
DELETE FROM dbo.sandbox_stamp WHERE clone_id <> :clone_id;
DELETE FROM dbo.sandbox_ledger WHERE clone_id <> :clone_id;
DELETE FROM dbo.sandbox_copy;
DELETE FROM dbo.sandbox_copy_run

-- name: _copy_counts
SELECT COALESCE(SUM(p.rows), 0), COUNT(DISTINCT t.object_id)
  FROM sys.tables AS t JOIN sys.partitions AS p ON p.object_id = t.object_id AND p.index_id IN (0, 1)
 WHERE t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%'
