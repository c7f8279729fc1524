-- SPDX-License-Identifier: Apache-2.0
-- What a sandbox database holds besides the tenant's tables: its stamp, the ledger of the steps, the state of the copy.
-- Tables named sandbox_* are never copied, masked or scanned.

-- name: _core_schema
CREATE TABLE IF NOT EXISTS sandbox_stamp (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    source_ctx TEXT NOT NULL,
    target_ctx TEXT NOT NULL,
    clone_id   TEXT NOT NULL,
    run        INTEGER NOT NULL,
    token      INTEGER NOT NULL,
    masked_at  TEXT NOT NULL DEFAULT '',
    proof      TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS sandbox_ledger (
    clone_id   TEXT NOT NULL,
    run        INTEGER NOT NULL,
    step       TEXT NOT NULL,
    token      INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    cursor     TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (clone_id, run, step)
);
CREATE TABLE IF NOT EXISTS sandbox_copy_run (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    run   INTEGER NOT NULL,
    phase INTEGER NOT NULL,         -- 0 rows, 1 comparing, 2 indexes and views, 3 finished
    source_schema INTEGER NOT NULL, -- version of the source's tables that were made
    starts INTEGER NOT NULL         -- how often the copy began because they changed
);
CREATE TABLE IF NOT EXISTS sandbox_copy (
    n             INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    phase         INTEGER NOT NULL DEFAULT 0, -- 0 rows, 1 reading back, 2 done
    snapshot      INTEGER NOT NULL DEFAULT 0, -- state of the source it was read in; -1 more than one
    expected      INTEGER NOT NULL DEFAULT 0,
    last_key      INTEGER,
    rows          INTEGER NOT NULL DEFAULT 0,
    bytes         INTEGER NOT NULL DEFAULT 0,
    cells_changed INTEGER NOT NULL DEFAULT 0,
    checksum      INTEGER NOT NULL DEFAULT 0, -- of the masked rows as they were written
    back_key      INTEGER,
    back_rows     INTEGER NOT NULL DEFAULT 0,
    back_checksum INTEGER NOT NULL DEFAULT 0  -- of the rows as they were read back
);

-- name: _stamp_get
-- needs: sandbox_stamp
SELECT source_ctx, target_ctx, clone_id, run, token, masked_at, proof FROM sandbox_stamp WHERE one = 1

-- name: _stamp_put
INSERT OR IGNORE INTO sandbox_stamp (one, source_ctx, target_ctx, clone_id, run, token)
VALUES (1, :source_ctx, :target_ctx, :clone_id, :run, :token)

-- name: _stamp_raise
UPDATE sandbox_stamp SET token = :token, run = max(run, :run) WHERE one = 1 AND token <= :token

-- name: _stamp_proof
UPDATE sandbox_stamp SET masked_at = :masked_at, proof = :proof WHERE one = 1

-- name: _ledger_get
-- needs: sandbox_ledger
SELECT token, rows, cursor FROM sandbox_ledger WHERE clone_id = :clone_id AND run = :run AND step = :step

-- name: _ledger_add
INSERT INTO sandbox_ledger (clone_id, run, step, token, rows, cursor, updated_at)
VALUES (:clone_id, :run, :step, :token, :rows, '', strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
    ON CONFLICT (clone_id, run, step)
    DO UPDATE SET token = excluded.token, rows = rows + excluded.rows, updated_at = excluded.updated_at

-- name: _ledger_set
INSERT INTO sandbox_ledger (clone_id, run, step, token, rows, cursor, updated_at)
VALUES (:clone_id, :run, :step, :token, :rows, :cursor, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
    ON CONFLICT (clone_id, run, step)
    DO UPDATE SET token = excluded.token, rows = excluded.rows, cursor = excluded.cursor,
                  updated_at = excluded.updated_at

-- name: _copy_run
SELECT run, phase, source_schema, starts FROM sandbox_copy_run WHERE one = 1

-- name: _copy_put_run
INSERT OR REPLACE INTO sandbox_copy_run (one, run, phase, source_schema, starts)
VALUES (1, :run, :phase, :source_schema, :starts)

-- name: _copy_clear
DELETE FROM sandbox_copy

-- name: _copy_add
INSERT INTO sandbox_copy (name, expected) VALUES (:name, :expected)

-- name: _copy_next
SELECT n, name, phase, snapshot, last_key, rows, bytes, cells_changed, checksum, back_key, back_rows, back_checksum
  FROM sandbox_copy WHERE phase < 2 ORDER BY n LIMIT 1

-- name: _copy_older
SELECT n, name, phase, snapshot, last_key, rows, bytes, cells_changed, checksum, back_key, back_rows, back_checksum
  FROM sandbox_copy WHERE snapshot <> :snapshot ORDER BY n LIMIT 1

-- name: _copy_put
UPDATE sandbox_copy
   SET phase = :phase, snapshot = :snapshot, last_key = :last_key, rows = :rows, bytes = :bytes,
       cells_changed = :cells_changed, checksum = :checksum, back_key = :back_key, back_rows = :back_rows,
       back_checksum = :back_checksum
 WHERE n = :n

-- name: _copy_totals
SELECT count(*), coalesce(sum(phase = 2), 0), coalesce(sum(rows), 0), coalesce(sum(bytes), 0),
       coalesce(sum(cells_changed), 0), coalesce(sum(max(expected, rows)), 0)
  FROM sandbox_copy
