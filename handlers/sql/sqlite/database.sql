-- SPDX-License-Identifier: Apache-2.0
-- Questions that several steps ask of the server's catalogue.

-- name: database_is_open
-- 1 when others than the cloner may connect, also to one that the catalogue never heard of
SELECT count(*) = 0 FROM database_entry WHERE name = :database AND quarantined = 1
