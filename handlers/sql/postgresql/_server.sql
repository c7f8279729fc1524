-- SPDX-License-Identifier: Apache-2.0
-- The catalogue, a database of its own that only the cloner may connect to: what the server does not know of its
-- databases. What takes an identifier where no value can be bound is a function here. Bodies are quoted with '.

-- name: _server_schema
SELECT pg_advisory_xact_lock(7368621);
CREATE TABLE IF NOT EXISTS database_entry (
    name        text PRIMARY KEY,
    created_at  text NOT NULL DEFAULT to_char(now() AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    owner       text NOT NULL DEFAULT '',          -- the clone that made it
    quarantined integer NOT NULL DEFAULT 0,        -- 1: only the cloner may connect
    last_token  bigint NOT NULL DEFAULT 0
);
-- Who may connect to a database in quarantine once it is open again; '' is everybody.
CREATE TABLE IF NOT EXISTS connect_right (
    database text NOT NULL,
    grantee  text NOT NULL,
    PRIMARY KEY (database, grantee)
);
-- The greatest token that acted on a generation; it outlives the database, so that an old owner cannot make it again.
CREATE TABLE IF NOT EXISTS generation_token (
    name  text PRIMARY KEY,
    token bigint NOT NULL
);
-- The lock is another statement than the look, which so sees what was committed while the lock was waited for.
CREATE OR REPLACE FUNCTION sandbox_token(generation text) RETURNS bigint LANGUAGE plpgsql AS '
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(generation, 0));
    RETURN coalesce((SELECT token FROM generation_token WHERE name = generation), 0);
END';
CREATE OR REPLACE FUNCTION sandbox_put_login(login text, secret text) RETURNS bigint LANGUAGE plpgsql AS '
BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = login AND (rolsuper OR rolcreaterole OR rolcreatedb)) THEN
        RAISE EXCEPTION ''the role of the target has rights of an administrator'';
    ELSIF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = login) THEN
        EXECUTE format(''ALTER ROLE %I LOGIN'', login);
    ELSE
        EXECUTE format(''CREATE ROLE %I LOGIN NOCREATEDB NOCREATEROLE PASSWORD %L'', login, secret);
    END IF;
    RETURN 1;
END';
CREATE OR REPLACE FUNCTION sandbox_make_roles(database text) RETURNS bigint LANGUAGE plpgsql AS '
DECLARE tail text;
BEGIN
    FOREACH tail IN ARRAY ARRAY[''_r'', ''_w''] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = database || tail) THEN
            EXECUTE format(''CREATE ROLE %I NOLOGIN'', database || tail);
        END IF;
        INSERT INTO connect_right VALUES (database, database || tail) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN 1;
END';
CREATE OR REPLACE FUNCTION sandbox_drop_roles(dropped text) RETURNS bigint LANGUAGE plpgsql AS '
BEGIN
    EXECUTE format(''DROP ROLE IF EXISTS %I, %I'', dropped || ''_r'', dropped || ''_w'');
    DELETE FROM connect_right WHERE database = dropped;
    RETURN 1;
END';
-- Sessions of administrators go on: nothing but a superuser ends them.
CREATE OR REPLACE FUNCTION sandbox_close(closed text) RETURNS bigint LANGUAGE plpgsql AS '
DECLARE who text;
BEGIN
    FOR who IN SELECT coalesce(r.rolname, '''') FROM pg_database AS d,
            aclexplode(coalesce(d.datacl, acldefault(''d'', d.datdba))) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
             WHERE d.datname = closed AND a.privilege_type = ''CONNECT'' AND a.grantee <> d.datdba LOOP
        INSERT INTO connect_right VALUES (closed, who) ON CONFLICT DO NOTHING;
        EXECUTE format(''REVOKE CONNECT ON DATABASE %I FROM %s'', closed,
                       CASE who WHEN '''' THEN ''PUBLIC'' ELSE quote_ident(who) END);
    END LOOP;
    RETURN (SELECT count(pg_terminate_backend(s.pid)) FROM pg_stat_activity AS s JOIN pg_roles AS r ON r.rolname = s.usename
             WHERE s.datname = closed AND s.usename <> current_user AND NOT r.rolsuper);
END';
CREATE OR REPLACE FUNCTION sandbox_open(opened text) RETURNS bigint LANGUAGE plpgsql AS '
DECLARE who text;
BEGIN
    FOR who IN SELECT c.grantee FROM connect_right AS c WHERE c.database = opened
             AND (c.grantee = '''' OR EXISTS (SELECT 1 FROM pg_roles AS r WHERE r.rolname = c.grantee)) LOOP
        EXECUTE format(''GRANT CONNECT ON DATABASE %I TO %s'', opened,
                       CASE who WHEN '''' THEN ''PUBLIC'' ELSE quote_ident(who) END);
    END LOOP;
    RETURN 1;
END';
CREATE OR REPLACE FUNCTION sandbox_is_member(role text, member text) RETURNS boolean LANGUAGE sql STABLE AS '
SELECT EXISTS (SELECT 1 FROM pg_auth_members AS m JOIN pg_roles AS g ON g.oid = m.roleid
                 JOIN pg_roles AS r ON r.oid = m.member WHERE g.rolname = role AND r.rolname = $2)';
CREATE OR REPLACE FUNCTION sandbox_add_member(role text, member text) RETURNS bigint LANGUAGE plpgsql AS '
BEGIN
    IF NOT sandbox_is_member(role, member) THEN
        EXECUTE format(''GRANT %I TO %I'', role, member);
    END IF;
    RETURN 1;
END';
CREATE OR REPLACE FUNCTION sandbox_remove_member(role text, member text) RETURNS bigint LANGUAGE plpgsql AS '
BEGIN
    IF sandbox_is_member(role, member) THEN
        EXECUTE format(''REVOKE %I FROM %I'', role, member);
    END IF;
    RETURN 1;
END';
CREATE OR REPLACE FUNCTION sandbox_users(used text) RETURNS SETOF text LANGUAGE sql STABLE AS '
SELECT CAST(r.rolname AS text) FROM pg_auth_members AS m JOIN pg_roles AS g ON g.oid = m.roleid
  JOIN pg_roles AS r ON r.oid = m.member WHERE g.rolname = used || ''_w''
 UNION
SELECT coalesce(CAST(r.rolname AS text), '''') FROM pg_database AS d,
       aclexplode(coalesce(d.datacl, acldefault(''d'', d.datdba))) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
 WHERE d.datname = used AND a.privilege_type = ''CONNECT'' AND a.grantee <> d.datdba
   AND coalesce(r.rolname, '''') NOT IN (used || ''_r'', used || ''_w'')
 UNION
SELECT c.grantee FROM connect_right AS c WHERE c.database = used AND c.grantee NOT IN (used || ''_r'', used || ''_w'')';
CREATE OR REPLACE FUNCTION sandbox_remove_users(used text, but text) RETURNS bigint LANGUAGE plpgsql AS '
DECLARE who text;
BEGIN
    FOR who IN SELECT u FROM sandbox_users(used) AS u LOOP
        DELETE FROM connect_right AS c WHERE c.database = used AND c.grantee = who;
        EXECUTE format(''REVOKE CONNECT ON DATABASE %I FROM %s'', used,
                       CASE who WHEN '''' THEN ''PUBLIC'' ELSE quote_ident(who) END);
        IF who <> but THEN
            PERFORM sandbox_remove_member(used || ''_w'', who);
        END IF;
    END LOOP;
    RETURN 1;
END'

-- name: _server_put_identity
-- The server has one already; what was made up is not needed.
SELECT CAST(:id AS text)

-- name: _server_identity
SELECT CAST(system_identifier AS text) FROM pg_control_system()

-- name: _server_token
SELECT sandbox_token(:name)

-- name: _server_put_token
INSERT INTO generation_token (name, token) VALUES (:name, :token)
    ON CONFLICT (name) DO UPDATE SET token = greatest(generation_token.token, excluded.token);
UPDATE database_entry SET last_token = greatest(last_token, :token) WHERE name = :name

-- name: _server_owner
SELECT owner FROM database_entry WHERE name = :name

-- name: _server_put_database
INSERT INTO database_entry (name, owner, quarantined) VALUES (:name, :owner, 1) ON CONFLICT (name) DO NOTHING

-- name: _server_quarantine
INSERT INTO database_entry (name, quarantined) VALUES (:name, :quarantined)
    ON CONFLICT (name) DO UPDATE SET quarantined = excluded.quarantined

-- name: _server_forget_database
DELETE FROM database_entry WHERE name = :name
