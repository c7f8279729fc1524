-- SPDX-License-Identifier: Apache-2.0
-- The source customer of the step tests, dirty on purpose: each rule of s09_rules.def has something to put right, each
-- class of address column has an address.

INSERT INTO company (company_id, version, revision, ownerContactName, ownerDepartmentName, ownerContactId,
    dbContactName, dbDepartmentName, dbContactId, serialNo, encryptedCheck, registered, registered_associate_id,
    updated, updated_associate_id, updatedCount) VALUES (1, 0, 0, 'North Ltd', '', 1, 'North Ltd', '', 1, '7000000001',
    'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO contact (contact_id, name, country_id, orgNr, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 'North Ltd', 0, '991234567', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO contact (contact_id, name, country_id, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (2, 'sales@client.example', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO contact (contact_id, name, country_id, dbi_key, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (3, 'Fjord AS', 0, 'crm@client.example', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO person (person_id, contact_id, lastname, firstname, rank, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount, x_note) VALUES (1, 1, 'Admin', 'Anna', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0, NULL);
INSERT INTO person (person_id, contact_id, lastname, firstname, rank, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount, x_note) VALUES (2, 1, 'Tester', 'Test', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0, 'call me at anna.private@home.example');
INSERT INTO person (person_id, contact_id, lastname, firstname, rank, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount, x_note) VALUES (3, 1, 'User', 'Uno', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0, '');
INSERT INTO person (person_id, contact_id, lastname, firstname, rank, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount, x_note) VALUES (4, 1, '', 'odd@client.example', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0, NULL);
INSERT INTO Email (email_id, person_id, type, description, email_address, rank, lastBounceReason, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 1, 0, '', 'john.doe@company.com',
    0, '550 user john.doe@company.com unknown', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Email (email_id, person_id, type, description, email_address, rank, lastBounceReason, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (2, 1, 0, '', 'John.Doe@Company.COM',
    0, NULL, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Email (email_id, person_id, type, description, email_address, rank, lastBounceReason, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (3, 1, 0, '', 'tester@company.example',
    0, NULL, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Email (email_id, person_id, type, description, email_address, rank, lastBounceReason, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (4, 1, 0, '',
    'colleague@company.example', 0, NULL, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Email (email_id, person_id, type, description, email_address, rank, lastBounceReason, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (5, 1, 1, '', 'skype.live.jd', 0, NULL,
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Email (email_id, person_id, type, description, email_address, rank, lastBounceReason, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (6, 1, 0, '', '', 0, NULL,
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Email (email_id, person_id, type, description, email_address, rank, lastBounceReason, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (7, 1, 0, '',
    'x+tag@mail.client.example', 0, NULL, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Email (email_id, person_id, type, description, email_address, rank, lastBounceReason, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (8, 1, 0, '',
    'jd_company.com@sandbox.example', 0, NULL, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO associate (associate_id, name, tooltip, deleted, group_idx, lastlogin, lastlogout, person_id, type,
    ejuserId, encryptedCheck, userName, waiting_for_approval, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 'ADM', 'Ask admin@company.example', 0, 1, '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 1, 0, 0, 'sealed for the source', 'admin@company.example', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO associate (associate_id, name, tooltip, deleted, group_idx, lastlogin, lastlogout, person_id, type,
    ejuserId, encryptedCheck, userName, waiting_for_approval, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (2, 'TST', 'Ask tester@company.example', 0, 1, '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 2, 0, 0, 'sealed for the source', 'tester@company.example', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO associate (associate_id, name, tooltip, deleted, group_idx, lastlogin, lastlogout, person_id, type,
    ejuserId, encryptedCheck, userName, waiting_for_approval, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (3, 'USR', 'Ask user@company.example', 0, 1, '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 3, 0, 0, 'sealed for the source', 'user@company.example', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO associate (associate_id, name, tooltip, deleted, group_idx, lastlogin, lastlogout, person_id, type,
    ejuserId, encryptedCheck, userName, waiting_for_approval, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (4, 'Room', 'Room', 0, 1, '2026-01-05 08:00:00', '2026-01-05 08:00:00',
    0, 1, 0, 'sealed for the source', '', 0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO associate (associate_id, name, tooltip, deleted, group_idx, lastlogin, lastlogout, person_id, type,
    ejuserId, encryptedCheck, userName, waiting_for_approval, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (5, 'ejSysUser', 'ejSysUser', 0, 0, '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 0, 13, 1, 'sealed for the source', NULL, 0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00',
    0, 0);
INSERT INTO associate (associate_id, name, tooltip, deleted, group_idx, lastlogin, lastlogout, person_id, type,
    ejuserId, encryptedCheck, userName, waiting_for_approval, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (6, 'app:old-app', 'app:old-app', 0, 0, '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 0, 13, 0, 'sealed for the source', NULL, 0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00',
    0, 0);
INSERT INTO associate (associate_id, name, tooltip, deleted, group_idx, lastlogin, lastlogout, person_id, type,
    ejuserId, encryptedCheck, userName, waiting_for_approval, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (7, 'GONE', 'Ask gone@company.example', 1, 1, '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 7, 0, 0, 'sealed for the source', 'gone@company.example', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO ejuser (id, loginname, usergroup, username, email, signature) VALUES (1, 'system', 0, 'system',
    'noreply@company.example', 'Best regards <a href="mailto:noreply@company.example">noreply@company.example</a>');
INSERT INTO ejuser (id, loginname, usergroup, username, email, signature) VALUES (2, 'tst', 0, 'tst',
    'tester@company.example', 'Best regards <a href="mailto:tester@company.example">tester@company.example</a>');
INSERT INTO ejuser (id, loginname, usergroup, username, email, signature) VALUES (3, 'usr', 0, 'usr',
    'user@company.example', 'Best regards <a href="mailto:user@company.example">user@company.example</a>');
INSERT INTO UserGroup (UserGroup_id, name, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (1, 'Sales', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO UserGroupLink (UserGroupLink_id, assoc_id, UserGroup_id, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, 1, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Role (Role_id, name, roleType, deleted, encryptedCheck, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 'User', 0, 0, '', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0,
    0);
INSERT INTO Role (Role_id, name, roleType, deleted, encryptedCheck, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (2, 'System', 3, 0, '', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00',
    0, 0);
INSERT INTO UserRoleLink (UserRoleLink_id, associate_id, role_id, linkType, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 1, 1, 0, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO UserRoleLink (UserRoleLink_id, associate_id, role_id, linkType, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (2, 2, 1, 0, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO UserRoleLink (UserRoleLink_id, associate_id, role_id, linkType, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (3, 3, 1, 0, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO UserRoleLink (UserRoleLink_id, associate_id, role_id, linkType, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (4, 4, 1, 0, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO UserRoleLink (UserRoleLink_id, associate_id, role_id, linkType, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (5, 5, 2, 0, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO UserRoleLink (UserRoleLink_id, associate_id, role_id, linkType, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (6, 6, 2, 0, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO UserRoleLink (UserRoleLink_id, associate_id, role_id, linkType, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (7, 7, 1, 0, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Credentials (Credentials_id, associateId, credentialType, searchName, secret, validFrom, validTo,
    isActive, encryptedCheck, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (1, 1, 'Outlook', 'admin@company.example', 'of the source', '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 0, 'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Credentials (Credentials_id, associateId, credentialType, searchName, secret, validFrom, validTo,
    isActive, encryptedCheck, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (2, 2, 'Session', 'TST', 'of the source', '2026-01-05 08:00:00', '2026-01-05 08:00:00', 2,
    'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Credentials (Credentials_id, associateId, credentialType, searchName, secret, validFrom, validTo,
    isActive, encryptedCheck, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (3, 5, 'PlatformSystemUser', 'ejSysUser', 'of the source', '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 1, 'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Credentials (Credentials_id, associateId, credentialType, searchName, secret, validFrom, validTo,
    isActive, encryptedCheck, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (4, 6, 'AppSystemUser', 'Old App-source', 'of the source', '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 1, 'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ModuleOwner (ModuleOwner_id, ownerName, licenseUrl, licenseVersion, signedPublicKey, signature,
    expiration, graceTo, maintenanceTo, encryptedCheck, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 'SUPEROFFICE', '', '', x'', '', '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', '2026-01-05 08:00:00', 'sealed for the source', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO ModuleLicense (ModuleLicense_id, moduleName, moduleDescription, licenseType, licenseNumber,
    allowedAssocsMask, extraFlags, extraInfo, ModuleOwner_id, encryptedCheck, registered, registered_associate_id,
    updated, updated_associate_id, updatedCount) VALUES (1, 'ten-salesservicemarketing', '', 3, 50, 0, 1,
    'set=user,web,sales', 1, 'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ModuleLicense (ModuleLicense_id, moduleName, moduleDescription, licenseType, licenseNumber,
    allowedAssocsMask, extraFlags, extraInfo, ModuleOwner_id, encryptedCheck, registered, registered_associate_id,
    updated, updated_associate_id, updatedCount) VALUES (2, 'user', '', 3, 50, 0, 0, '', 1, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ModuleLicense (ModuleLicense_id, moduleName, moduleDescription, licenseType, licenseNumber,
    allowedAssocsMask, extraFlags, extraInfo, ModuleOwner_id, encryptedCheck, registered, registered_associate_id,
    updated, updated_associate_id, updatedCount) VALUES (3, 'web', '', 3, 50, 0, 0, '', 1, 'sealed for the source',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO LicenseAssocLink (LicenseAssocLink_id, moduleLicenseId, assocId, licenseNumber, encryptedCheck,
    registered, registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 1, 1, 1,
    'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO LicenseAssocLink (LicenseAssocLink_id, moduleLicenseId, assocId, licenseNumber, encryptedCheck,
    registered, registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (2, 1, 2, 1,
    'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO LicenseAssocLink (LicenseAssocLink_id, moduleLicenseId, assocId, licenseNumber, encryptedCheck,
    registered, registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (3, 1, 3, 1,
    'sealed for the source', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO satellite (satellite_id, contact_id, DSN, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, 'branch', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO LicenseSatlLink (LicenseSatlLink_id, moduleLicenseId, satelliteId, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 1, 1, 'x', '2026-01-05 08:00:00',
    0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO OnlineApp (onlineapp_id, clientId, displayName, partnerName, registered, registered_associate_id,
    updated, updated_associate_id, updatedCount) VALUES (1, 'old-app', 'Old App', 'Partner', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO login (id, user_id, session_key, ns_secret, status) VALUES (1, 2, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'secret', 0);
INSERT INTO login_customer (id, customer_id, session_key) VALUES (1, 1, 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb');
INSERT INTO session_object (id, login_id, name, value) VALUES (1, 1, 'cart', 'mail john.doe@company.com');
INSERT INTO user_candidate (id, person_id, secret_key, secret_value) VALUES (1, 1, 'john.doe@company.com', 'pw');
INSERT INTO TemporaryKey (temporarykey_id, domain, authkey, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, 'k', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO activeuser (activeuser_id, computerName) VALUES (2, 'laptop');
INSERT INTO PushNotificationService (pushnotificationservice_id, AssociateId, DeviceIdentifier, PNSHandle,
    registered, registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 2, 'phone', 'handle',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO schedule (id, asap, disabled, stop, name, retries) VALUES (1, 0, 0, 0, 'Nightly import', 0);
INSERT INTO schedule (id, asap, disabled, stop, name, retries) VALUES (2, 0, 1, 0, 'Weekly report', 0);
INSERT INTO schedule (id, asap, disabled, stop, name, lock_expire, lock_pid, retries) VALUES (3, 1, 0, 0, 'Sync',
    '2026-07-31 23:00:00', 4711, 0);
INSERT INTO ejscript (id, include_id, body, unique_identifier, updatedCount) VALUES (1, 'sendReport',
    'mail.setValue("to", "report@company.example");', 'g1', 0);
INSERT INTO scheduled_task (id, script_id, schedule_id, description) VALUES (1, 1, 1, 'mails report@company.example');
INSERT INTO dbi_agent (id, name, id_string, path) VALUES (1, 'erp', 'erp', 'https://erp.client.example/');
INSERT INTO dbi_agent_schedule (id, agent_id, schedule_id) VALUES (1, 1, 3);
INSERT INTO ext_datasource (id, name, hostname, username, password) VALUES (1, 'erp', 'erp.client.example',
    'reader', 'secret');
INSERT INTO BatchTask (BatchTask_id, description, dbTag, state, updated, registered, registered_associate_id,
    updated_associate_id, updatedCount) VALUES (1, 'bulk', 'x', 4, '2026-01-05 08:00:00', '2026-01-05 08:00:00', 0, 0,
    0);
INSERT INTO locking (id, status, lock_expire, lock_pid) VALUES (1, 1, '2026-07-31 23:00:00', 12);
INSERT INTO SystemEvent (SystemEvent_id, scope, owner, eventkey, eventmess, registered, registered_associate_id,
    updated, updated_associate_id, updatedCount) VALUES (1, 1, 0, 'info', 'ask admin@company.example',
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO mail_in_filter (id, server_type, pop_server, pop_user, pop_password, address, reply_template_id,
    checkwait) VALUES (1, 1, 'pop.company.example', 'support@company.example', 'pw', 'support@company.example', 0, 0);
INSERT INTO mail_in_filter (id, server_type, address, reply_template_id, checkwait) VALUES (2, 8,
    'sales@north.suocrm.example', 0, 0);
INSERT INTO mail_alias (id, filter_id, alias) VALUES (1, 1, 'help@company.example');
INSERT INTO mail_in_uidl (id, filter_id, uidl) VALUES (1, 1, 'u1');
INSERT INTO ms_filter (id, description, action, reply_to, forward_to) VALUES (1, 'out', 1, 'x@company.example',
    'boss@company.example');
INSERT INTO ms_filter_mail (id, mail_sorter_id, mail_in_filter_id) VALUES (1, 1, 1);
INSERT INTO ms_trashbin (id, mail_in_filter_id, subject) VALUES (1, 1, 'from spam@client.example');
INSERT INTO inbox (id, uidl, plugin, format) VALUES (1, 'u2', 'pop', 'mime');
INSERT INTO outbox (id, subject, from_email, from_envelope, rcpt, status, retries, type, rfc822_content) VALUES (1,
    'Hello', 'support@company.example', 'bounce@company.example', 'john.doe@company.com', 1, 0, 0,
    'To: john.doe@company.com');
INSERT INTO sms (id, sms_text, outbox_id) VALUES (1, 'hi', 1);
INSERT INTO outgoing_message (id, status_description) VALUES (1, 'to john.doe@company.com');
INSERT INTO notify (id, custom_message) VALUES (1, 'see john.doe@company.com');
INSERT INTO mail_block (id, mail_addr) VALUES (1, 'spam@client.example');
INSERT INTO service_auth (service_auth_id, server, username, password, encryptedCheck, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 'imap.company.example',
    'admin@company.example', 'pw', 'x', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO email_account (email_account_id, email_address, associate_id, incoming_auth, encryptedCheck,
    use_graph_api, registered, registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1,
    'admin@company.example', 1, 1, 'x', 0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO email_folder (email_folder_id, account_id, name, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, 'Inbox', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO email_item (email_item_id, account_id, mime, subject, "from", "to", server_identifier, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 1, 'To: a@b.example', 'Re',
    '"J. Doe" <j@c.example>', 'k@d.example; l@d.example', '1', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO email_attachment (email_attachment_id, email_item_id, filename) VALUES (1, 1, 'a.pdf');
INSERT INTO ticket_status (id, status, name) VALUES (1, 1, 'Open');
INSERT INTO ticket_status (id, status, name) VALUES (2, 2, 'Closed');
INSERT INTO ticket_status (id, status, name) VALUES (3, 3, 'Postponed');
INSERT INTO ticket (id, title, created_at, created_by, author, owned_by, category, status, ticket_status, cust_id,
    priority, activate, alert_timeout, alert_stop, filter_id, filter_address, from_address) VALUES (1, 'Printer',
    '2026-07-01 09:00:00', 1, 'john.doe@company.com', 1, 1, 1, 1, 1, 1, NULL, '2026-08-02 09:00:00', -1, 1,
    'support@company.example', '"J. Doe" <john.doe@company.com>');
INSERT INTO ticket (id, title, created_at, created_by, author, owned_by, category, status, ticket_status, cust_id,
    priority, activate, alert_timeout, alert_stop, filter_id, filter_address, from_address) VALUES (2, 'Done',
    '2026-07-01 09:00:00', 1, 'john.doe@company.com', 1, 1, 2, 2, 1, 1, NULL, NULL, -1, 1, 'support@company.example',
    '"J. Doe" <john.doe@company.com>');
INSERT INTO ticket (id, title, created_at, created_by, author, owned_by, category, status, ticket_status, cust_id,
    priority, activate, alert_timeout, alert_stop, filter_id, filter_address, from_address) VALUES (3, 'Later',
    '2026-07-01 09:00:00', 1, 'john.doe@company.com', 1, 1, 3, 3, 1, 1, '2026-09-01 00:00:00', NULL, -1, 1,
    'support@company.example', '"J. Doe" <john.doe@company.com>');
INSERT INTO ej_message (id, ticket_id, author, message_id, body, html_body, email_header, customer_id,
    body_attachment, html_body_attachment) VALUES (1, 1, 'john.doe@company.com', '<CAF1@mail.company.com>',
    'Please answer john.doe@company.com or call.', '<a href="mailto:john.doe@company.com">mail</a>',
    'From: John <john.doe@company.com>', 1, 5, -1);
INSERT INTO message_customers (id, message_id, customer_id, email) VALUES (1, 1, 1, 'john.doe@company.com');
INSERT INTO message_header (id, message_id, name, value) VALUES (1, 1, 'To', 'support@company.example,
    help@company.example');
INSERT INTO attachment (id, name, att_size, attachment_location_id) VALUES (1, 'file 1', 10, 1);
INSERT INTO attachment (id, name, att_size, attachment_location_id) VALUES (2, 'file 2', 10, 1);
INSERT INTO attachment (id, name, att_size, attachment_location_id) VALUES (3, 'file 3', 10, 1);
INSERT INTO attachment (id, name, att_size, attachment_location_id) VALUES (4, 'file 4', 10, 1);
INSERT INTO attachment (id, name, att_size, attachment_location_id) VALUES (5, 'file 5', 10, 1);
INSERT INTO attachment (id, name, att_size, attachment_location_id) VALUES (10001, 'file 10001', 10, 1);
INSERT INTO attachment_location (attachment_location_id, path, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, '/share/Cust70000/Attachments', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO ticket_attachment (id, attachment_id, message_id, inline_image) VALUES (1, 1, 1, 0);
INSERT INTO ticket_attachment (id, attachment_id, message_id, inline_image) VALUES (2, 2, 1, 0);
INSERT INTO kb_attachment (id, entry_id, attachment_id) VALUES (1, 1, 2);
INSERT INTO ejpackage (id, name, attachment_id, uploaded_by, locked) VALUES (1, 'Package', 3, 0, 0);
INSERT INTO s_picture_entry (id, attachment_id, description) VALUES (1, 10001, 'logo');
INSERT INTO appointment (appointment_id, associate_id, location, external_participants, join_videomeet_url,
    registered, updated, updated_associate_id, updatedCount) VALUES (1, 2, 'at john.doe@company.com',
    '[{"name":"J","email":"john.doe@company.com"}]', 'https://meet.example/1', '2026-01-05 08:00:00',
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO document (document_id, name, header, appointment_id, registered, registered_associate_id,
    contentSetCount, updated, updated_associate_id, updatedCount) VALUES (1, 'offer.docx', 'Offer', 1,
    '2026-01-05 08:00:00', 0, 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO DocTmpl (DocTmpl_id, name, filename, record_type, senderEmailAddress, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 'Letter', 'letter.docx', 1,
    'letters@company.example', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO BinaryObject (BinaryObject_id, conceptualType, originalSize, blobSize, binaryData, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 'token', 0, 0, NULL,
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO BinaryObject (BinaryObject_id, conceptualType, originalSize, blobSize, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (2, 'picture', 0, 0,
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO BinaryObjectLink (BinaryObjectLink_id, binaryObjectId, ownerTable, ownerRecord, linkType) VALUES (1, 1,
    1, 1, 11);
INSERT INTO BinaryObjectLink (BinaryObjectLink_id, binaryObjectId, ownerTable, ownerRecord, linkType) VALUES (2, 2,
    1, 1, 1);
INSERT INTO Webhook (webhook_id, name, events, target_url, type, secret, state, errors_email, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 'hook', 'contact.created',
    'https://hook.client.example/x', 'webhook', 's', 1, 'ops@client.example', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO Webhook_usage (webhook_usage_id, total_calls, total_errors, consecutive_errors, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 0, 0, 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO Webhook_notify (webhook_notify_id, webhook_id, email_recipient, registered, registered_associate_id,
    updated, updated_associate_id, updatedCount) VALUES (1, 1, 'ops@client.example', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO ExtApp (ExtApp_id, name, filename, url1, navigation, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 'panel 1', 'x',
    'https://online3.example/Cust70000/CS/Scripts/ticket.fcgi?action=x', 0, '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO ExtApp (ExtApp_id, name, filename, url1, navigation, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (2, 'panel 2', 'x',
    'https://ONLINE3.example/cust70000/cs/scripts/rms.fcgi', 0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ExtApp (ExtApp_id, name, filename, url1, navigation, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (3, 'panel 3', 'x', 'https://online3.example/Cust70000/default.aspx?a=1',
    0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ExtApp (ExtApp_id, name, filename, url1, navigation, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (4, 'panel 4', 'x',
    'https://online3.example/Cust700001/CS/scripts/ticket.fcgi', 0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0,
    0);
INSERT INTO ExtApp (ExtApp_id, name, filename, url1, navigation, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (5, 'panel 5', 'x',
    'https://other.example/?u=/Cust70000/CS/scripts/blogic.fcgi', 0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0,
    0);
INSERT INTO ExtApp (ExtApp_id, name, filename, url1, navigation, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (6, 'panel 6', 'x',
    'https://online3.example/Cust70000/CS/scripts/customer.fcgi?c=/Cust70000/CS/scripts/ticket.fcgi', 0,
    '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ExtApp (ExtApp_id, name, filename, url1, navigation, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (7, 'panel 7', 'x',
    'https://panel.client.example/?mail=john.doe@company.com', 0, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0,
    0);
INSERT INTO config (id, text_path, attachment_path, template_path, admin_mail, default_mail, panic_mail, smtp_host,
    smtp_port, cgi_url, cgi_url_internal, gfx_url, unique_id) VALUES (1, '/share/Cust70000/text', '/share/Cust70000/a',
    '/share/Cust70000/t', 'admin@company.example', 'support@company.example', 'panic@company.example',
    'smtp.company.example', 0, 'https://online3.example/Cust70000/CS/scripts', 'http://internal/Cust70000/CS/scripts',
    'https://online3.example/Cust70000/CS/graphics', '0123456789abcdef0123456789abcdef');
INSERT INTO registry (id, reg_id, name, value) VALUES (1, 90, 'SystemNSKey', 'ticket');
INSERT INTO registry (id, reg_id, name, value) VALUES (2, 91, 'AnonNSKey', 'ticket');
INSERT INTO registry (id, reg_id, name, value) VALUES (3, 12, 'WeekStatRecipient', 'boss@company.example');
INSERT INTO registry (id, reg_id, name, value) VALUES (4, 22, 'ServiceUrl', 'https://online3.example/Cust70000/CS');
INSERT INTO registry (id, reg_id, name, value) VALUES (5, 23, 'Lookalike', 'https://online3.example/Cust70000x/CS');
INSERT INTO UserPreference (userpreference_id, deflevel, owner_id, prefsection, prefkey, prefvalue, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 5, 2, 'Mail', 'Signature',
    'tester@company.example', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO UserPreference (userpreference_id, deflevel, owner_id, prefsection, prefkey, prefvalue, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (2, 3, 0, 'TestEnvironment',
    'EnableMailings', '1', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO s_message (id, subject, html_message, plain_message) VALUES (1, 'News from news@company.example',
    '<p>write to news@company.example</p>', 'news@company.example');
INSERT INTO s_attachment (id, attachment_id, message_id) VALUES (1, 4, 1);
INSERT INTO s_shipment (id, description, message_id, from_addr, smtp_serv, smtp_port, status) VALUES (1, 'mailing',
    1, 'news@company.example', 'smtp.company.example', 25, 1);
INSERT INTO s_shipment (id, description, message_id, from_addr, smtp_serv, smtp_port, status) VALUES (2, 'mailing',
    1, 'news@company.example', 'smtp.company.example', 25, 3);
INSERT INTO s_shipment (id, description, message_id, from_addr, smtp_serv, smtp_port, status) VALUES (3, 'mailing',
    1, 'news@company.example', 'smtp.company.example', 25, 7);
INSERT INTO s_shipment_addr (id, shipment_id, address, customer_id) VALUES (1, 1, 'john.doe@company.com', 1);
INSERT INTO s_smtp_servers (id, shipment_id, smtp_server) VALUES (1, 1, 'smtp2.company.example');
INSERT INTO workflow (workflow_id, name, status, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (1, 'Welcome', 3, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO workflow (workflow_id, name, status, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (2, 'Old', 1, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO email_flow (email_flow_id, workflow_id, from_addr, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, 'flow@company.example', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO workflow_instance (workflow_instance_id, workflow_id, status, variables, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 1, 2,
    '{"mail":"john.doe@company.com"}', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ErpConnector (erpconnector_id, URL, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (1, 'https://erp.client.example', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO ErpConnection (erpconnection_id, ErpConnectorId, Active, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, 1, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO QuoteConnection (quoteconnection_id, ConnectorName, ExtraData, registered, registered_associate_id,
    updated, updated_associate_id, updatedCount) VALUES (1, 'erp', 'user=a;pw=b', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO foreignapp (foreignapp_id, name, registered, registered_associate_id, updated, updated_associate_id,
    updatedCount) VALUES (1, 'Sync', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO foreigndevice (foreigndevice_id, foreignapp_id, owner_id, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, 1, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO foreignkey (foreignkey_id, foreigndevice_id, table_id, record_id, subkey, subvalue, registered,
    registered_associate_id, updated, updated_associate_id, updatedCount) VALUES (1, 1, 1, 1, 'mail',
    'john.doe@company.com', '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO log_events (id, var1) VALUES (1, 'john.doe@company.com did it');
INSERT INTO log_debug (id, info) VALUES (1, 'john.doe@company.com did it');
INSERT INTO script_trace_run (id, frames) VALUES (1, 'john.doe@company.com did it');
INSERT INTO ejscript_debug (id, info) VALUES (1, 'john.doe@company.com did it');
INSERT INTO autosave (id, data) VALUES (1, 'john.doe@company.com did it');
INSERT INTO CacheInvalidation (cacheinvalidation_id, Name, Generation) VALUES (1, 'lists', 41);
INSERT INTO freetextwords (freetextwords_id, word) VALUES (1, 'DOE@COMPANY');
INSERT INTO freetextindex (freetextindex_id, freetextwords_id, table_id, record_id) VALUES (1, 1, 1, 1);
INSERT INTO kb_entry_words (id, word) VALUES (1, 'DOE');
INSERT INTO temporary_words (id, word) VALUES (1, 'DOE');
INSERT INTO ej_category (id, name, notification_email) VALUES (1, 'Support', 'a@company.example,b@company.example');
INSERT INTO cust_lang (id, name) VALUES (1, 'en');
INSERT INTO y_project_notes (id, x_text, x_contact) VALUES (1, 'meet john.doe@company.com', 'j.d@company.com');
INSERT INTO y_project_notes (id, x_text, x_contact) VALUES (2, NULL, '');
INSERT INTO extra_tables (id, table_name, name) VALUES (1, 'y_project_notes', 'Notes');
INSERT INTO extra_fields (id, domain, field_name, type, default_value) VALUES (1, 1, 'x_note', 1,
    'nobody@company.example');
INSERT INTO OwnerContactLink (OwnerContactLink_id, contact_id, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, '2026-01-05 08:00:00', 0, '2026-01-05 08:00:00', 0, 0);
INSERT INTO Message (Message_id, associateId, onlineapp_id, expire, registered, registered_associate_id, updated,
    updated_associate_id, updatedCount) VALUES (1, 1, 1, '2026-01-05 08:00:00', '2026-01-05 08:00:00', 0,
    '2026-01-05 08:00:00', 0, 0);
INSERT INTO traveltransactionlog (traveltransactionlog_id, ttime, type, associate_id, tablenumber,
    record_id) VALUES (1, '2026-01-05 08:00:00', 1, 1, 1, 1);
INSERT INTO DatabaseModel (databasemodel_id, ModelVersion) VALUES (1, '1');
INSERT INTO external_document (id, attachment_id, title) VALUES (1, 2, 'doc');
INSERT INTO reply_template_attachment (id, entry_id, attachment_id) VALUES (1, 1, 2);
INSERT INTO ejpackage_item (id, ejpackage, domain, item_id) VALUES (1, 1, 1, 1);
INSERT INTO sequence (id, next_id, TableName, TableNumber) VALUES (11, 3, 'associate', 1);
INSERT INTO sequence (id, next_id, TableName, TableNumber) VALUES (12, 100, 'Email', 2);
INSERT INTO sequence (id, next_id, TableName, TableNumber) VALUES (13, 5, 'Credentials', 3);
INSERT INTO sequence (id, next_id, TableName, TableNumber) VALUES (14, 1, 'y_project_notes', 4);
INSERT INTO sequence (id, next_id, TableName, TableNumber) VALUES (15, 4, 'ModuleLicense', 5);
INSERT INTO sequence (id, next_id, TableName, TableNumber) VALUES (16, 1, 'no_such_table', 6);
INSERT INTO sequence (id, next_id, TableName, TableNumber) VALUES (17, 3, 'UserPreference', 7);
