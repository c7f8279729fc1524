-- SPDX-License-Identifier: Apache-2.0
-- name: s20_wrong_companies
SELECT count(*) FROM company
 WHERE ownerContactName <> :name OR dbContactName <> :name OR serialNo <> :serial OR encryptedCheck <> :seal

-- name: s20_write_company
UPDATE company SET ownerContactName = :name, dbContactName = :name, serialNo = :serial, encryptedCheck = :seal

-- name: s20_wrong_owner_contacts
-- needs: contact
SELECT count(*) FROM contact WHERE contact_id IN (SELECT ownerContactId FROM company) AND name <> :name

-- name: s20_write_owner_contact
-- needs: contact
UPDATE contact SET name = :name WHERE contact_id IN (SELECT ownerContactId FROM company)
