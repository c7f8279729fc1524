-- SPDX-License-Identifier: Apache-2.0

-- name: s08_tables
-- needs: sandbox_copy
-- Name, rows, bytes and masked texts of each table as the copy counted them.
SELECT name, rows, bytes, cells_changed FROM sandbox_copy ORDER BY bytes DESC, rows DESC, name
