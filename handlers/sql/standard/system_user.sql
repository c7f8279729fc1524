-- SPDX-License-Identifier: Apache-2.0
-- System users (handlers/system_user.h): associate.type 13, Role.roleType 3, Credentials.isActive 1 is incoming.

-- name: system_user_right
SELECT count(*) FROM associate AS a
  JOIN Credentials AS s ON s.associateId = a.associate_id
  JOIN UserRoleLink AS l ON l.associate_id = a.associate_id
  JOIN Role AS r ON r.Role_id = l.role_id AND r.roleType = 3 AND r.deleted = 0
 WHERE a.name = :name AND a.type = 13 AND coalesce(a.deleted, 0) = 0 AND a.person_id = 0 AND a.group_idx = 0
   AND a.encryptedCheck = :associate_seal AND l.encryptedCheck = :link_seal
   AND s.credentialType = :credential AND s.searchName = :search AND s.secret = :secret AND s.isActive = 1
   AND s.encryptedCheck = :credential_seal

-- name: system_user_role
INSERT INTO Role (Role_id, name, roleType, deleted, encryptedCheck,
                  registered, registered_associate_id, updated, updated_associate_id, updatedCount)
SELECT :role, 'System', 3, 0, :role_seal, :now, 0, :now, 0, 0
 WHERE NOT EXISTS (SELECT 1 FROM Role WHERE roleType = 3 AND deleted = 0)

-- name: system_user_associate
INSERT INTO associate (associate_id, name, tooltip, deleted, group_idx, lastlogin, lastlogout, person_id, type,
                       ejuserId, encryptedCheck, userName, waiting_for_approval,
                       registered, registered_associate_id, updated, updated_associate_id, updatedCount)
SELECT :associate, :name, :tooltip, 0, 0, :now, :now, 0, 13, 0, :associate_seal, NULL, 0, :now, 0, :now, 0, 0
 WHERE NOT EXISTS (SELECT 1 FROM associate WHERE name = :name AND type = 13)

-- name: system_user_repair
UPDATE associate SET deleted = 0, person_id = 0, group_idx = 0, encryptedCheck = :associate_seal
 WHERE name = :name AND type = 13

-- name: system_user_no_links
DELETE FROM UserRoleLink WHERE associate_id IN (SELECT associate_id FROM associate WHERE name = :name AND type = 13)

-- name: system_user_link
INSERT INTO UserRoleLink (UserRoleLink_id, associate_id, role_id, linkType, encryptedCheck,
                          registered, registered_associate_id, updated, updated_associate_id, updatedCount)
SELECT :link, (SELECT min(associate_id) FROM associate WHERE name = :name AND type = 13),
       (SELECT min(Role_id) FROM Role WHERE roleType = 3 AND deleted = 0), 0, :link_seal, :now, 0, :now, 0, 0

-- name: system_user_no_credentials
DELETE FROM Credentials WHERE associateId IN (SELECT associate_id FROM associate WHERE name = :name AND type = 13)

-- name: system_user_credential
INSERT INTO Credentials (Credentials_id, associateId, personId, credentialType, searchName, secret, validFrom, validTo,
                         isActive, encryptedCheck, displayName,
                         registered, registered_associate_id, updated, updated_associate_id, updatedCount)
SELECT :key, (SELECT min(associate_id) FROM associate WHERE name = :name AND type = 13), 0, :credential, :search,
       :secret, :now, '2099-12-31 00:00:00', 1, :credential_seal, :tooltip, :now, 0, :now, 0, 0
