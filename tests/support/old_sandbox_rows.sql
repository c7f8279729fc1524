-- SPDX-License-Identifier: Apache-2.0
-- What the sandbox holds that was in service before the clone, as far as a step looks at it.

INSERT INTO associate (associate_id, name, type, deleted, userName, group_idx, lastlogin, lastlogout, person_id,
    encryptedCheck, waiting_for_approval, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (1, 'OLD', 0, 0, 'old@company.example', 1, '2026-01-05 08:00:00', '2026-01-05 08:00:00', 1, '',
    0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ModuleLicense (ModuleLicense_id, moduleName, moduleDescription, licenseType, licenseNumber,
    allowedAssocsMask, extraFlags, ModuleOwner_id, encryptedCheck, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 'ten-sales', '', 3, 5, 1, 1, 1, '', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO LicenseAssocLink (LicenseAssocLink_id, moduleLicenseId, assocId, licenseNumber, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 1, 1, 1, '', '2026-01-05 08:00:00',
    0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO mail_in_filter (id, server_type, address, reply_template_id, checkwait) VALUES
    (4, 8, 'sandbox@north.suocrm.example', -1, 1);
INSERT INTO BatchTask (BatchTask_id, description, dbTag, state, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 'died long ago', 'x', 3, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
