-- SPDX-License-Identifier: Apache-2.0
-- name: s11_schedules_on
-- needs: schedule
SELECT count(*) FROM schedule WHERE disabled = 0
