-- SPDX-License-Identifier: Apache-2.0
-- What this database says in its own way; the rest is in ../standard.

-- name: licence_owner
-- The licence server is asked again at once (nextCheckDate); its answer brings the real dates and signatures.
INSERT INTO ModuleOwner (ModuleOwner_id, ownerName, licenseUrl, licenseVersion, signedPublicKey, signature, expiration,
                         graceTo, maintenanceTo, nextCheckDate, encryptedCheck,
                         registered, registered_associate_id, updated, updated_associate_id, updatedCount)
VALUES (:owner, 'SUPEROFFICE', '', '', x'', '', '2099-12-31 00:00:00', '2099-12-31 00:00:00', '2099-12-31 00:00:00',
        :now, :seal, :now, 0, :now, 0, 0)
