-- SPDX-License-Identifier: Apache-2.0
-- name: s11_wrong_schedules
-- needs: schedule
SELECT COUNT(*) FROM {schema}.schedule
 WHERE disabled <> CASE WHEN CHARINDEX(',' + CAST(id AS nvarchar(20)) + ',', :ticked) > 0 THEN 0 ELSE 1 END
    OR lock_expire IS NOT NULL OR COALESCE(lock_pid, 0) <> 0 OR asap <> 0

-- name: s11_schedules_on
-- needs: schedule
SELECT COUNT(*) FROM {schema}.schedule WHERE disabled = 0

-- name: s11_disable_schedules
-- needs: schedule
UPDATE {schema}.schedule
   SET disabled = CASE WHEN CHARINDEX(',' + CAST(id AS nvarchar(20)) + ',', :ticked) > 0 THEN 0 ELSE 1 END,
                    lock_expire = NULL, lock_pid = NULL, asap = 0
 WHERE disabled <> CASE WHEN CHARINDEX(',' + CAST(id AS nvarchar(20)) + ',', :ticked) > 0 THEN 0 ELSE 1 END
    OR lock_expire IS NOT NULL OR COALESCE(lock_pid, 0) <> 0 OR asap <> 0
