-- SPDX-License-Identifier: Apache-2.0
-- name: s10_all_users
SELECT count(*) FROM database_user WHERE database = :database

-- name: s10_right_users
SELECT count(*) FROM database_user AS u JOIN login AS l ON l.name = u.name AND l.sid = u.login_sid
 WHERE u.database = :database AND u.name = :login AND u.roles = 'db_datareader,db_datawriter'

-- name: s10_remove_others
DELETE FROM database_user WHERE database = :database AND name <> :login

-- name: s10_map_user
INSERT INTO database_user (database, name, login_sid, roles)
SELECT :database, name, sid, 'db_datareader,db_datawriter' FROM login WHERE name = :login
    ON CONFLICT (database, name) DO UPDATE SET login_sid = excluded.login_sid, roles = excluded.roles
