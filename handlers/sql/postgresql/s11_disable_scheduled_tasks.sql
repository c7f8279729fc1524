-- SPDX-License-Identifier: Apache-2.0
-- What this database says in its own way; the rest is in ../standard.

-- name: s11_wrong_schedules
-- needs: schedule
SELECT count(*) FROM schedule
 WHERE disabled <> CASE WHEN strpos(:ticked, ',' || id || ',') > 0 THEN 0 ELSE 1 END
    OR lock_expire IS NOT NULL OR coalesce(lock_pid, 0) <> 0 OR asap <> 0

-- name: s11_disable_schedules
-- needs: schedule
UPDATE schedule SET disabled = CASE WHEN strpos(:ticked, ',' || id || ',') > 0 THEN 0 ELSE 1 END,
                    lock_expire = NULL, lock_pid = NULL, asap = 0
 WHERE disabled <> CASE WHEN strpos(:ticked, ',' || id || ',') > 0 THEN 0 ELSE 1 END
    OR lock_expire IS NOT NULL OR coalesce(lock_pid, 0) <> 0 OR asap <> 0
