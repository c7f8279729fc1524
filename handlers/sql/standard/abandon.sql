-- SPDX-License-Identifier: Apache-2.0
-- name: abandon_mailboxes
-- needs: mail_in_filter
SELECT id, address FROM mail_in_filter WHERE server_type = 8 AND coalesce(address, '') <> '' ORDER BY id
