-- SPDX-License-Identifier: Apache-2.0
-- What this database says in its own way; the rest is in ../standard.

-- name: key_next
-- needs: sequence
SELECT max(coalesce((SELECT max({key}) FROM {table}), 0) + 1,
           coalesce((SELECT next_id FROM sequence WHERE lower(TableName) = lower(:table)), 1))
