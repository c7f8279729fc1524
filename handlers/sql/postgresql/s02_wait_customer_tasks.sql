-- SPDX-License-Identifier: Apache-2.0
-- name: s02_live_batch_tasks
-- needs: BatchTask
-- state 1 new, 2 assigned, 3 started; updated is a heart beat of one minute
SELECT count(*) FROM BatchTask WHERE state IN (1, 2, 3) AND updated > CAST(:since AS timestamp)
