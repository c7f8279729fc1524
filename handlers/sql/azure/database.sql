-- SPDX-License-Identifier: Apache-2.0

-- name: database_is_open
-- home: database
-- 1 when others than dbo may connect: CONNECT (CO) on the database (class 0) is not denied (D) to public (principal 0)
SELECT CASE WHEN COUNT(*) > 0 THEN 0 ELSE 1 END FROM {database}.sys.database_permissions
 WHERE class = 0 AND type = 'CO' AND state = 'D' AND grantee_principal_id = 0
