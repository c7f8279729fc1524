-- SPDX-License-Identifier: Apache-2.0

-- name: sweep_databases
-- What may be a generation of some target, with the clone that made it.
SELECT name, owner FROM database_entry WHERE strpos(name, '__g') > 1 ORDER BY name

-- name: sweep_switched_at
-- needs: sandbox_ledger
-- When the generation went into service, in milliseconds since 1970; 0 when nobody noted it.
SELECT CAST(coalesce(max(extract(epoch FROM CAST(updated_at AS timestamptz))), 0) * 1000 AS bigint)
  FROM sandbox_ledger
 WHERE clone_id = :clone_id AND step = 'enter_running_mode'
