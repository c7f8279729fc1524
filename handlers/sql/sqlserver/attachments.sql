-- SPDX-License-Identifier: Apache-2.0
-- name: attachment_max
-- needs: attachment
SELECT COALESCE(MAX(id), 0) FROM {schema}.attachment

-- name: attachment_ids
SELECT DISTINCT TOP (:limit) {column} FROM {schema}.{table} WHERE {column} > :after ORDER BY {column}
