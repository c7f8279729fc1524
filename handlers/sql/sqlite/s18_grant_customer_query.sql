-- SPDX-License-Identifier: Apache-2.0
-- name: s18_may_read
SELECT count(*) FROM permission WHERE database = :database AND principal = :principal AND privilege = 'SELECT'

-- name: s18_all_permissions
SELECT count(*) FROM permission WHERE database = :database AND principal = :principal

-- name: s18_revoke_others
DELETE FROM permission WHERE database = :database AND principal = :principal AND privilege <> 'SELECT'

-- name: s18_grant_read
INSERT INTO permission (database, principal, privilege) VALUES (:database, :principal, 'SELECT')
    ON CONFLICT (database, principal, privilege) DO NOTHING
