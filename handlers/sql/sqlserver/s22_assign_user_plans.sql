-- SPDX-License-Identifier: Apache-2.0
-- name: s22_sealed_user
SELECT COUNT(*) FROM {schema}.associate WHERE associate_id = :associate AND encryptedCheck = :seal

-- name: s22_seal_user
UPDATE {schema}.associate SET encryptedCheck = :seal WHERE associate_id = :associate
