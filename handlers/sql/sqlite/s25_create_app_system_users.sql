-- SPDX-License-Identifier: Apache-2.0
-- System users (associate.type 13) other than the three of the platform belong to apps.

-- name: s25_app_users
SELECT count(*) FROM associate WHERE type = 13 AND name NOT IN ('NetServer', 'ejSysUser', 'MailSender')

-- name: s25_apps
SELECT count(*) FROM OnlineApp

-- name: s25_right_app
SELECT count(*) FROM OnlineApp
 WHERE clientId = :client AND displayName = :name AND partnerName = :partner AND coalesce(authorizationRevoked, 0) = 0

-- name: s25_drop_app_credentials
DELETE FROM Credentials WHERE associateId IN
       (SELECT associate_id FROM associate WHERE type = 13 AND name NOT IN ('NetServer', 'ejSysUser', 'MailSender'))

-- name: s25_drop_app_links
DELETE FROM UserRoleLink WHERE associate_id IN
       (SELECT associate_id FROM associate WHERE type = 13 AND name NOT IN ('NetServer', 'ejSysUser', 'MailSender'))

-- name: s25_drop_app_users
DELETE FROM associate WHERE type = 13 AND name NOT IN ('NetServer', 'ejSysUser', 'MailSender')

-- name: s25_drop_apps
DELETE FROM OnlineApp

-- name: s25_add_app
INSERT INTO OnlineApp (onlineapp_id, clientId, displayName, partnerName, authorizationRevoked,
                       registered, registered_associate_id, updated, updated_associate_id, updatedCount)
VALUES (:key, :client, :name, :partner, 0, :now, 0, :now, 0, 0)
