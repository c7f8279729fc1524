-- SPDX-License-Identifier: Apache-2.0
-- Keys of rows that steps add (handlers/words.h).

-- name: key_used
-- needs: sequence
UPDATE sequence SET next_id = (SELECT max({key}) + 1 FROM {table})
 WHERE lower(TableName) = lower(:table) AND next_id <= (SELECT max({key}) FROM {table})
