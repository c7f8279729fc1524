-- SPDX-License-Identifier: Apache-2.0
-- name: abandon_mailboxes
-- needs: mail_in_filter
SELECT id, address FROM {schema}.mail_in_filter WHERE server_type = 8 AND COALESCE(address, '') <> '' ORDER BY id
