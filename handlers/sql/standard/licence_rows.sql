-- SPDX-License-Identifier: Apache-2.0
-- The licence as rows (handlers/licence_rows.h): licenseType 3 is per user, extraFlags 1 marks a user plan.

-- name: licence_owners
SELECT count(*) FROM ModuleOwner

-- name: licence_modules
SELECT moduleName, licenseType, licenseNumber, extraFlags, coalesce(extraInfo, ''), encryptedCheck
  FROM ModuleLicense ORDER BY sortOrder, ModuleLicense_id

-- name: licence_drop_assignments
-- needs: LicenseAssocLink
DELETE FROM LicenseAssocLink

-- name: licence_drop_satellites
-- needs: LicenseSatlLink
DELETE FROM LicenseSatlLink

-- name: licence_drop_modules
DELETE FROM ModuleLicense

-- name: licence_drop_owners
DELETE FROM ModuleOwner

-- name: licence_module
INSERT INTO ModuleLicense (ModuleLicense_id, moduleName, moduleDescription, licenseType, licenseNumber,
                           allowedAssocsMask, extraFlags, extraInfo, ModuleOwner_id, sortOrder, hidden, encryptedCheck,
                           registered, registered_associate_id, updated, updated_associate_id, updatedCount)
VALUES (:key, :name, :name, :type, :count, 1, :is_plan, :info, :owner, :order, 1 - :is_plan, :seal, :now, 0, :now, 0, 0)
