-- SPDX-License-Identifier: Apache-2.0
-- name: s26_company
SELECT dbContactName FROM {schema}.company ORDER BY company_id

-- name: s26_serial
SELECT serialNo FROM {schema}.company ORDER BY company_id

-- name: s26_users_with_plan
SELECT COUNT(DISTINCT l.assocId) FROM {schema}.LicenseAssocLink AS l
  JOIN {schema}.ModuleLicense AS m ON m.ModuleLicense_id = l.moduleLicenseId AND m.extraFlags = 1
