-- SPDX-License-Identifier: Apache-2.0
-- name: s12_session_tickets
-- needs: Credentials
SELECT COUNT(*) FROM {schema}.Credentials WHERE isActive = 2

-- name: s12_drop_tickets
-- needs: Credentials
DELETE FROM {schema}.Credentials WHERE isActive = 2

-- name: s12_netserver_keys
-- needs: registry
SELECT COUNT(*) FROM {schema}.registry WHERE name IN ('SystemNSKey', 'AnonNSKey') AND COALESCE(value, '') <> ''

-- name: s12_blank_keys
-- needs: registry
UPDATE {schema}.registry SET value = '' WHERE name IN ('SystemNSKey', 'AnonNSKey') AND COALESCE(value, '') <> ''
