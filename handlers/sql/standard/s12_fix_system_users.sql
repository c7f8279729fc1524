-- SPDX-License-Identifier: Apache-2.0
-- name: s12_session_tickets
-- needs: Credentials
SELECT count(*) FROM Credentials WHERE isActive = 2

-- name: s12_drop_tickets
-- needs: Credentials
DELETE FROM Credentials WHERE isActive = 2

-- name: s12_netserver_keys
-- needs: registry
SELECT count(*) FROM registry WHERE name IN ('SystemNSKey', 'AnonNSKey') AND coalesce(value, '') <> ''

-- name: s12_blank_keys
-- needs: registry
UPDATE registry SET value = '' WHERE name IN ('SystemNSKey', 'AnonNSKey') AND coalesce(value, '') <> ''
