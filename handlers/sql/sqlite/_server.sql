-- SPDX-License-Identifier: Apache-2.0
-- The catalogue of a folder of SQLite databases: what a database server keeps about its databases and logins.
-- Names of sections that begin with an underscore belong to the adapter, the others to the steps.

-- name: _server_schema
CREATE TABLE IF NOT EXISTS server_identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS database_entry (
    name        TEXT PRIMARY KEY,
    created_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    owner       TEXT NOT NULL DEFAULT '',          -- the clone that made it
    quarantined INTEGER NOT NULL DEFAULT 0,        -- 1: only the cloner may connect
    last_token  INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS login (
    name        TEXT PRIMARY KEY,
    sid         TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
    secret_hash TEXT NOT NULL DEFAULT '',
    disabled    INTEGER NOT NULL DEFAULT 0,
    created_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
CREATE TABLE IF NOT EXISTS database_user (
    database  TEXT NOT NULL,
    name      TEXT NOT NULL,
    login_sid TEXT NOT NULL DEFAULT '',
    roles     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (database, name)
);
CREATE TABLE IF NOT EXISTS permission (
    database  TEXT NOT NULL,
    principal TEXT NOT NULL,
    privilege TEXT NOT NULL,
    object    TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (database, principal, privilege)
);
-- The greatest token that acted on a generation; it outlives the database, so that an old owner cannot make it again.
CREATE TABLE IF NOT EXISTS generation_token (
    name  TEXT PRIMARY KEY,
    token INTEGER NOT NULL
);

-- name: _server_put_identity
INSERT OR IGNORE INTO server_identity (one, id) VALUES (1, :id)

-- name: _server_identity
SELECT id FROM server_identity

-- name: _server_token
SELECT token FROM generation_token WHERE name = :name

-- name: _server_put_token
INSERT INTO generation_token (name, token) VALUES (:name, :token)
    ON CONFLICT (name) DO UPDATE SET token = max(token, excluded.token);
UPDATE database_entry SET last_token = max(last_token, :token) WHERE name = :name

-- name: _server_owner
SELECT owner FROM database_entry WHERE name = :name

-- name: _server_put_database
INSERT OR IGNORE INTO database_entry (name, owner, quarantined) VALUES (:name, :owner, 1)

-- name: _server_quarantine
INSERT INTO database_entry (name, quarantined) VALUES (:name, :quarantined)
    ON CONFLICT (name) DO UPDATE SET quarantined = excluded.quarantined

-- name: _server_forget_database
DELETE FROM permission WHERE database = :name;
DELETE FROM database_user WHERE database = :name;
DELETE FROM database_entry WHERE name = :name
