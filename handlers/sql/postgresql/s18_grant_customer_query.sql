-- SPDX-License-Identifier: Apache-2.0
-- Who may read a database is a member of its _r role, who may write of its _w role.

-- name: s18_may_read
SELECT count(*) FROM pg_roles WHERE rolname = :principal AND sandbox_is_member(:database || '_r', :principal)

-- name: s18_all_permissions
SELECT count(*) FROM pg_roles AS r JOIN (SELECT '_r' AS tail UNION ALL SELECT '_w') AS t
    ON sandbox_is_member(:database || t.tail, :principal)
 WHERE r.rolname = :principal

-- name: s18_revoke_others
SELECT sandbox_remove_member(:database || '_w', :principal)

-- name: s18_grant_read
SELECT sandbox_add_member(:database || '_r', :principal)
