-- SPDX-License-Identifier: Apache-2.0
-- name: plan_modules
SELECT ModuleLicense_id, moduleName, licenseNumber, extraFlags, coalesce(extraInfo, '') FROM ModuleLicense
 ORDER BY ModuleLicense_id

-- name: plan_associate
-- 0 when there is no such active employee
SELECT coalesce(min(associate_id), 0) FROM associate
 WHERE coalesce(type, 0) = 0 AND coalesce(deleted, 0) = 0
   AND ((:associate > 0 AND associate_id = :associate) OR (:associate = 0 AND lower(userName) = lower(:login)))

-- name: plan_users
-- The users who hold a plan (extraFlags 1), as SuperID needs them.
SELECT DISTINCT a.userName, a.associate_id FROM associate AS a
  JOIN LicenseAssocLink AS l ON l.assocId = a.associate_id
  JOIN ModuleLicense AS m ON m.ModuleLicense_id = l.moduleLicenseId AND m.extraFlags = 1
 WHERE coalesce(a.userName, '') <> '' AND coalesce(a.deleted, 0) = 0
 ORDER BY a.userName, a.associate_id

-- name: plan_links
SELECT assocId, moduleLicenseId FROM LicenseAssocLink ORDER BY assocId, moduleLicenseId

-- name: plan_clear_links
DELETE FROM LicenseAssocLink

-- name: plan_add_link
INSERT INTO LicenseAssocLink (LicenseAssocLink_id, moduleLicenseId, assocId, licenseNumber, encryptedCheck,
                              registered, registered_associate_id, updated, updated_associate_id, updatedCount)
VALUES (:key, :module, :associate, 1, :seal, :now, 0, :now, 0, 0)
