-- SPDX-License-Identifier: Apache-2.0
-- name: s22_sealed_user
SELECT count(*) FROM associate WHERE associate_id = :associate AND encryptedCheck = :seal

-- name: s22_seal_user
UPDATE associate SET encryptedCheck = :seal WHERE associate_id = :associate
