-- SPDX-License-Identifier: Apache-2.0
-- What this database says in its own way; the rest is in ../standard.

-- name: s09_panel_variables_left
-- needs: ExtApp
SELECT count(*) FROM ExtApp
 WHERE strpos(url1, '://') > 0
   AND strpos(lower(url1), :service_path) = strpos(url1, '://') + 2 + strpos(substr(url1, strpos(url1, '://') + 3), '/')
   AND EXISTS (SELECT 1 FROM (SELECT 'ticket.fcgi' AS program UNION ALL SELECT 'rms.fcgi' UNION ALL
                              SELECT 'customer.fcgi' UNION ALL SELECT 'blogic.fcgi') AS p
                WHERE substr(lower(url1), strpos(lower(url1), :service_path) + length(:service_path),
                             length(p.program)) = p.program)
-- name: s09_panel_variables
-- needs: ExtApp
UPDATE ExtApp SET url1 = (
       SELECT v.variable || substr(url1, strpos(lower(url1), :service_path) + length(:service_path) + length(v.program))
         FROM (SELECT 'ticket.fcgi' AS program, '<csti>' AS variable UNION ALL SELECT 'rms.fcgi', '<csrm>' UNION ALL
               SELECT 'customer.fcgi', '<cscu>' UNION ALL SELECT 'blogic.fcgi', '<csbl>') AS v
        WHERE substr(lower(url1), strpos(lower(url1), :service_path) + length(:service_path),
                     length(v.program)) = v.program)
 WHERE strpos(url1, '://') > 0
   AND strpos(lower(url1), :service_path) = strpos(url1, '://') + 2 + strpos(substr(url1, strpos(url1, '://') + 3), '/')
   AND EXISTS (SELECT 1 FROM (SELECT 'ticket.fcgi' AS program UNION ALL SELECT 'rms.fcgi' UNION ALL
                              SELECT 'customer.fcgi' UNION ALL SELECT 'blogic.fcgi') AS p
                WHERE substr(lower(url1), strpos(lower(url1), :service_path) + length(:service_path),
                             length(p.program)) = p.program)

-- The endpoint of the source ends where the URL ends or a slash, question mark or hash follows: acme is not acme-2.
