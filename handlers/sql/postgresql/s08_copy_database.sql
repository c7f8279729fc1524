-- SPDX-License-Identifier: Apache-2.0

-- name: s08_tables
-- needs: sandbox_copy_unit
-- Name, rows, bytes and masked texts of each table as the copy counted them.
SELECT CASE WHEN (parse_ident(c.name))[1] = 'public' THEN (parse_ident(c.name))[2]
            ELSE array_to_string(parse_ident(c.name), '.') END,
       CAST(COALESCE(SUM(u.rows), 0) AS bigint), CAST(COALESCE(SUM(u.bytes), 0) AS bigint),
       CAST(COALESCE(SUM(u.cells_changed), 0) AS bigint)
  FROM public.sandbox_copy AS c LEFT JOIN public.sandbox_copy_unit AS u ON u.n = c.n
 GROUP BY c.n, c.name ORDER BY 3 DESC, 2 DESC, 1
