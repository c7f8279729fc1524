-- SPDX-License-Identifier: Apache-2.0
-- name: attachment_max
-- needs: attachment
SELECT coalesce(max(id), 0) FROM attachment

-- name: attachment_ids
SELECT DISTINCT {column} FROM {table} WHERE {column} > :after ORDER BY {column} LIMIT :limit
