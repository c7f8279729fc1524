-- SPDX-License-Identifier: Apache-2.0
-- Questions that several steps ask of the server's catalogue.

-- name: database_is_open
-- 1 when others than the cloner may connect
SELECT count(*) FROM pg_database AS d
 WHERE d.datname = :database
   AND EXISTS (SELECT 1 FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
                WHERE a.privilege_type = 'CONNECT' AND a.grantee <> d.datdba)
