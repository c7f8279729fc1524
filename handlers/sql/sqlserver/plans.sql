-- SPDX-License-Identifier: Apache-2.0
-- name: plan_modules
SELECT ModuleLicense_id, moduleName, licenseNumber, extraFlags, COALESCE(extraInfo, '') FROM {schema}.ModuleLicense
 ORDER BY ModuleLicense_id

-- name: plan_associate
-- 0 when there is no such active employee
SELECT COALESCE(MIN(associate_id), 0) FROM {schema}.associate
 WHERE COALESCE(type, 0) = 0 AND COALESCE(deleted, 0) = 0
   AND ((:associate > 0 AND associate_id = :associate) OR (:associate = 0 AND LOWER(userName) = LOWER(:login)))

-- name: plan_users
-- The users who hold a plan (extraFlags 1), as SuperID needs them.
SELECT DISTINCT a.userName, a.associate_id FROM {schema}.associate AS a
  JOIN {schema}.LicenseAssocLink AS l ON l.assocId = a.associate_id
  JOIN {schema}.ModuleLicense AS m ON m.ModuleLicense_id = l.moduleLicenseId AND m.extraFlags = 1
 WHERE COALESCE(a.userName, '') <> '' AND COALESCE(a.deleted, 0) = 0
 ORDER BY a.userName, a.associate_id

-- name: plan_links
SELECT assocId, moduleLicenseId FROM {schema}.LicenseAssocLink ORDER BY assocId, moduleLicenseId

-- name: plan_clear_links
DELETE FROM {schema}.LicenseAssocLink

-- name: plan_add_link
INSERT INTO {schema}.LicenseAssocLink (LicenseAssocLink_id, moduleLicenseId, assocId, licenseNumber, encryptedCheck,
                              registered, registered_associate_id, updated, updated_associate_id, updatedCount)
VALUES (:key, :module, :associate, 1, :seal, :now, 0, :now, 0, 0)
