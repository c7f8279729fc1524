-- SPDX-License-Identifier: Apache-2.0
-- A user of a database is who is a member of its _w role, or may connect to it by a right of its own.

-- name: s10_all_users
SELECT count(*) FROM sandbox_users(:database)

-- name: s10_right_users
SELECT count(*) FROM pg_roles AS r
 WHERE r.rolname = :login AND r.rolcanlogin AND sandbox_is_member(:database || '_w', :login)

-- name: s10_remove_others
SELECT sandbox_remove_users(:database, :login)

-- name: s10_map_user
SELECT sandbox_add_member(:database || '_w', :login)
