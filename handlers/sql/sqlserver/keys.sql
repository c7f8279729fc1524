-- SPDX-License-Identifier: Apache-2.0
-- Keys of rows that steps add (handlers/words.h). The tenant's keys are counted in its own table, not by IDENTITY.

-- name: key_next
-- needs: sequence
SELECT MAX(candidate.next_key)
  FROM (SELECT COALESCE(MAX({key}), 0) + 1 AS next_key FROM {schema}.{table}
        UNION ALL
        SELECT COALESCE(MAX(next_id), 1) FROM {schema}.sequence WHERE LOWER(TableName) = LOWER(:table)) AS candidate

-- name: key_used
-- needs: sequence
UPDATE {schema}.sequence SET next_id = (SELECT MAX({key}) + 1 FROM {schema}.{table})
 WHERE LOWER(TableName) = LOWER(:table) AND next_id <= (SELECT MAX({key}) FROM {schema}.{table})
