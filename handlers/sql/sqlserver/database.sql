-- SPDX-License-Identifier: Apache-2.0
-- Questions that several steps ask of the server's catalogue.

-- name: database_is_open
-- 1 when others than the cloner may connect: user_access 0 is MULTI_USER
SELECT COUNT(*) FROM sys.databases WHERE name = :database AND user_access = 0
