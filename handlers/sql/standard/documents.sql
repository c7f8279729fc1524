-- SPDX-License-Identifier: Apache-2.0
-- name: document_owner
SELECT name FROM associate
 WHERE (:associate > 0 AND associate_id = :associate) OR (:associate = 0 AND lower(userName) = lower(:login))
 ORDER BY associate_id
