-- SPDX-License-Identifier: Apache-2.0
-- What a sandbox database holds besides the tenant's tables: its stamp, the ledger of the steps, the state of the copy.
-- Tables named sandbox_* are never copied, masked or scanned.

-- Only the cloner sees them; what it makes afterwards may be read by the database's _r role and written by its _w role.

-- name: _core_schema
CREATE TABLE IF NOT EXISTS sandbox_stamp (
    one        integer PRIMARY KEY CHECK (one = 1),
    source_ctx text NOT NULL,
    target_ctx text NOT NULL,
    clone_id   text NOT NULL,
    run        integer NOT NULL,
    token      bigint NOT NULL,
    masked_at  text NOT NULL DEFAULT '',
    proof      text NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS sandbox_ledger (
    clone_id   text NOT NULL,
    run        integer NOT NULL,
    step       text NOT NULL,
    token      bigint NOT NULL,
    rows       bigint NOT NULL,
    cursor     text NOT NULL,
    updated_at text NOT NULL,
    PRIMARY KEY (clone_id, run, step)
);
CREATE TABLE IF NOT EXISTS sandbox_copy_run (
    one      integer PRIMARY KEY CHECK (one = 1),
    run      integer NOT NULL,
    phase    integer NOT NULL,      -- 0 rows, 1 comparing, 2 reading back, 3 indexes and the like, 4 finished
    snapshot bigint NOT NULL,       -- of the source that it goes by now
    schema   text NOT NULL,         -- hash of the source's definitions
    starts   integer NOT NULL       -- how often the copy began because they changed
);
CREATE TABLE IF NOT EXISTS sandbox_copy (
    n        integer PRIMARY KEY,
    name     text NOT NULL UNIQUE,  -- quoted, with its schema
    checked  integer NOT NULL DEFAULT 0, -- 1: read back and found equal
    expected bigint NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS sandbox_copy_unit (
    n             integer NOT NULL, -- of the table
    first_page    bigint NOT NULL,
    end_page      bigint NOT NULL,  -- behind the last one
    done          integer NOT NULL DEFAULT 0,
    snapshot      bigint NOT NULL DEFAULT 0,
    rows          bigint NOT NULL DEFAULT 0,
    bytes         bigint NOT NULL DEFAULT 0,
    cells_changed bigint NOT NULL DEFAULT 0,
    checksum      bigint NOT NULL DEFAULT 0, -- of the masked rows as they were written
    PRIMARY KEY (n, first_page)
);
CREATE TABLE IF NOT EXISTS sandbox_copy_object (name text PRIMARY KEY); -- made after the rows
DO '
BEGIN
    EXECUTE format(''ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO %I, %I'',
                   current_database() || ''_r'', current_database() || ''_w'');
    EXECUTE format(''ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO %I'', current_database() || ''_r'');
    EXECUTE format(''ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I'',
                   current_database() || ''_w'');
    EXECUTE format(''ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO %I'', current_database() || ''_w'');
END'

-- name: _stamp_get
-- needs: sandbox_stamp
SELECT source_ctx, target_ctx, clone_id, run, token, masked_at, proof FROM sandbox_stamp WHERE one = 1

-- name: _stamp_put
INSERT INTO sandbox_stamp (one, source_ctx, target_ctx, clone_id, run, token)
VALUES (1, :source_ctx, :target_ctx, :clone_id, :run, :token) ON CONFLICT (one) DO NOTHING

-- name: _stamp_raise
UPDATE sandbox_stamp SET token = :token, run = greatest(run, :run) WHERE one = 1 AND token <= :token

-- name: _stamp_proof
UPDATE sandbox_stamp SET masked_at = :masked_at, proof = :proof WHERE one = 1

-- name: _ledger_get
-- needs: sandbox_ledger
SELECT token, rows, cursor FROM sandbox_ledger WHERE clone_id = :clone_id AND run = :run AND step = :step

-- name: _ledger_add
INSERT INTO sandbox_ledger (clone_id, run, step, token, rows, cursor, updated_at)
VALUES (:clone_id, :run, :step, :token, :rows, '', to_char(now() AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    ON CONFLICT (clone_id, run, step)
    DO UPDATE SET token = excluded.token, rows = sandbox_ledger.rows + excluded.rows, updated_at = excluded.updated_at
