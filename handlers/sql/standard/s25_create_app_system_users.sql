-- SPDX-License-Identifier: Apache-2.0
-- System users (associate.type 13) other than the three of the platform belong to apps.

-- name: s25_app_users
SELECT count(*) FROM associate WHERE type = 13 AND name NOT IN ('NetServer', 'ejSysUser', 'MailSender')

-- name: s25_apps
SELECT count(*) FROM OnlineApp

-- name: s25_right_app
SELECT count(*) FROM OnlineApp
 WHERE clientId = :client AND displayName = :name AND partnerName = :partner AND coalesce(authorizationRevoked, 0) = 0

-- name: s25_app_user_names
SELECT name FROM associate WHERE type = 13 AND name NOT IN ('NetServer', 'ejSysUser', 'MailSender') ORDER BY associate_id

-- name: s25_app_clients
SELECT clientId FROM OnlineApp ORDER BY onlineapp_id

-- name: s25_drop_app_user
DELETE FROM Credentials WHERE associateId IN (SELECT associate_id FROM associate WHERE type = 13 AND name = :name);
DELETE FROM UserRoleLink WHERE associate_id IN (SELECT associate_id FROM associate WHERE type = 13 AND name = :name);
DELETE FROM associate WHERE type = 13 AND name = :name

-- name: s25_drop_app
DELETE FROM OnlineApp WHERE clientId = :client

-- name: s25_put_app
UPDATE OnlineApp SET displayName = :name, partnerName = :partner, authorizationRevoked = 0 WHERE clientId = :client;
INSERT INTO OnlineApp (onlineapp_id, clientId, displayName, partnerName, authorizationRevoked,
                       registered, registered_associate_id, updated, updated_associate_id, updatedCount)
SELECT :key, :client, :name, :partner, 0, :now, 0, :now, 0, 0
 WHERE NOT EXISTS (SELECT 1 FROM OnlineApp WHERE clientId = :client)
