-- SPDX-License-Identifier: Apache-2.0
-- name: s26_company
SELECT dbContactName FROM company ORDER BY company_id

-- name: s26_serial
SELECT serialNo FROM company ORDER BY company_id

-- name: s26_users_with_plan
SELECT count(DISTINCT l.assocId) FROM LicenseAssocLink AS l
  JOIN ModuleLicense AS m ON m.ModuleLicense_id = l.moduleLicenseId AND m.extraFlags = 1
