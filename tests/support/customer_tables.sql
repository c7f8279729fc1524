-- SPDX-License-Identifier: Apache-2.0
-- The tables the steps touch, with the column names and widths of the real schema, and a few the customer added.

CREATE TABLE company (company_id INTEGER PRIMARY KEY, version int NOT NULL, revision smallint NOT NULL,
    ownerContactName nvarchar(219) NOT NULL, ownerDepartmentName nvarchar(219) NOT NULL, ownerContactId int NOT NULL,
    dbContactName nvarchar(219) NOT NULL, dbDepartmentName nvarchar(219) NOT NULL, dbContactId int NOT NULL,
    serialNo nvarchar(219) NOT NULL, extraInfo nvarchar(254), encryptedCheck nvarchar(254) NOT NULL,
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE contact (contact_id INTEGER PRIMARY KEY, name nvarchar(219) NOT NULL, department nvarchar(219),
    associate_id int, country_id int NOT NULL, orgNr nvarchar(49), deleted smallint, dbi_agent_id int,
    dbi_key nvarchar(255), registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE person (person_id INTEGER PRIMARY KEY, contact_id int NOT NULL, lastname nvarchar(99),
    firstname nvarchar(99) NOT NULL, rank smallint NOT NULL, retired smallint, nomailing smallint,
    dbi_key nvarchar(255), DeletedDate datetime, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL, x_note nvarchar);
CREATE TABLE Email (email_id INTEGER PRIMARY KEY, contact_id int, person_id int, project_id int,
    protocol nvarchar(11), type smallint NOT NULL, description nvarchar(254) NOT NULL,
    email_address nvarchar(239) NOT NULL, rank smallint NOT NULL, bounceCount smallint, lastBounce datetime,
    lastSent datetime, dbi_agent_id int, appointment_id int, lastBounceCode int, lastBounceReason nvarchar(4000),
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE associate (associate_id INTEGER PRIMARY KEY, name nvarchar(239) NOT NULL, tooltip nvarchar(254),
    deleted smallint, group_idx int NOT NULL, lastlogin datetime NOT NULL, lastlogout datetime NOT NULL,
    person_id int NOT NULL, type smallint, userFlags nvarchar(127), ejuserId int, encryptedCheck nvarchar(254) NOT NULL,
    userName nvarchar(254), waiting_for_approval smallint NOT NULL, registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE Credentials (Credentials_id INTEGER PRIMARY KEY, associateId int NOT NULL, personId int,
    credentialType nvarchar(254) NOT NULL, searchName nvarchar(254) NOT NULL, secret nvarchar(2000) NOT NULL,
    validFrom datetime NOT NULL, validTo datetime NOT NULL, isActive smallint NOT NULL,
    encryptedCheck nvarchar(254) NOT NULL, lastUsedDate datetime, lastusedInfo nvarchar(254), displayName nvarchar(254),
    extraId int, registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE UserGroup (UserGroup_id INTEGER PRIMARY KEY, name nvarchar(239) NOT NULL, type smallint,
    deleted smallint, registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE UserGroupLink (UserGroupLink_id INTEGER PRIMARY KEY, assoc_id int NOT NULL, UserGroup_id int NOT NULL,
    encryptedCheck nvarchar(254), registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE Role (Role_id INTEGER PRIMARY KEY, name nvarchar(239), roleType smallint NOT NULL,
    deleted smallint NOT NULL, encryptedCheck nvarchar(254) NOT NULL, registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE UserRoleLink (UserRoleLink_id INTEGER PRIMARY KEY, associate_id int NOT NULL, role_id int NOT NULL,
    linkType int NOT NULL, encryptedCheck nvarchar(254) NOT NULL, registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE OwnerContactLink (OwnerContactLink_id INTEGER PRIMARY KEY, contact_id int NOT NULL,
    remark nvarchar(254), registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE ModuleOwner (ModuleOwner_id INTEGER PRIMARY KEY, ownerName nvarchar(239) NOT NULL,
    licenseUrl nvarchar(254) NOT NULL, licenseVersion nvarchar(254) NOT NULL, signedPublicKey varbinary NOT NULL,
    signature nvarchar(254) NOT NULL, expiration datetime NOT NULL, graceTo datetime NOT NULL,
    maintenanceTo datetime NOT NULL, nextCheckDate datetime, adminWarningDate datetime,
    encryptedCheck nvarchar(254) NOT NULL, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE ModuleLicense (ModuleLicense_id INTEGER PRIMARY KEY, moduleName nvarchar(239) NOT NULL,
    moduleDescription nvarchar(254) NOT NULL, moduleVersion nvarchar(254), licenseType smallint NOT NULL,
    licenseNumber int NOT NULL, allowedAssocsMask int NOT NULL, extraFlags int NOT NULL, extraInfo nvarchar(3999),
    ModuleOwner_id int NOT NULL, sortOrder int, signature nvarchar(254), unrestricted smallint, hidden smallint,
    prerequisiteModule nvarchar(239), encryptedCheck nvarchar(254) NOT NULL, registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE LicenseAssocLink (LicenseAssocLink_id INTEGER PRIMARY KEY, moduleLicenseId int NOT NULL,
    assocId int NOT NULL, licenseNumber int NOT NULL, encryptedCheck nvarchar(254) NOT NULL,
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE LicenseSatlLink (LicenseSatlLink_id INTEGER PRIMARY KEY, moduleLicenseId int NOT NULL,
    satelliteId int NOT NULL, encryptedCheck nvarchar(254) NOT NULL, registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE OnlineApp (onlineapp_id INTEGER PRIMARY KEY, clientId nvarchar(255) NOT NULL,
    displayName nvarchar(255), partnerName nvarchar(255), authorizationRevoked smallint, lastUsed datetime,
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE ejuser (id INTEGER PRIMARY KEY, loginname nvarchar(63) NOT NULL, usergroup int NOT NULL,
    username nvarchar(63) NOT NULL, password nvarchar(127), firstname nvarchar(127), lastname nvarchar(127),
    email nvarchar(255) NOT NULL, access_level int, status int, signature nvarchar, email_mask int, sms nvarchar(64));
CREATE TABLE login (id INTEGER PRIMARY KEY, user_id int NOT NULL, session_key nvarchar(32) NOT NULL,
    remote_addr nvarchar(64), ns_secret nvarchar(2000), status int NOT NULL);
CREATE TABLE login_customer (id INTEGER PRIMARY KEY, customer_id int NOT NULL, session_key nvarchar(32) NOT NULL,
    expire datetime);
CREATE TABLE session_object (id INTEGER PRIMARY KEY, login_id int NOT NULL, name nvarchar(255) NOT NULL,
    value nvarchar);
CREATE TABLE user_candidate (id INTEGER PRIMARY KEY, person_id int NOT NULL, secret_key nvarchar(255),
    secret_value nvarchar(255));
CREATE TABLE TemporaryKey (temporarykey_id INTEGER PRIMARY KEY, domain smallint NOT NULL, target_id int,
    person_id int, authkey nvarchar(256) NOT NULL, expires datetime, payload nvarchar(4000),
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE schedule (id INTEGER PRIMARY KEY, domain int, status int, frequency int, asap smallint NOT NULL,
    disabled smallint NOT NULL, stop smallint NOT NULL, name nvarchar(255), after_schedule_id int, minute_interval int,
    next_execution datetime, last_execution datetime, lock_expire datetime, lock_pid int, lock_ttl int,
    error_message nvarchar, retries int NOT NULL);
CREATE TABLE scheduled_task (id INTEGER PRIMARY KEY, script_id int, schedule_id int, description nvarchar(2047));
CREATE TABLE ejscript (id INTEGER PRIMARY KEY, description nvarchar(255), include_id nvarchar(255) NOT NULL,
    body nvarchar, access_key nvarchar(255), unique_identifier nvarchar(64) NOT NULL, registered datetime,
    registered_associate_id int, updated datetime, updated_associate_id int, updatedCount smallint NOT NULL);
CREATE TABLE dbi_agent (id INTEGER PRIMARY KEY, name nvarchar(255), id_string nvarchar(255) NOT NULL, protocol int,
    path nvarchar(255));
CREATE TABLE ext_datasource (id INTEGER PRIMARY KEY, name nvarchar(64), datatype nvarchar(32),
    hostname nvarchar(255), username nvarchar(64), password nvarchar(64));
CREATE TABLE BatchTask (BatchTask_id INTEGER PRIMARY KEY, BatchTaskDefinition_id int,
    description nvarchar(254) NOT NULL, dbTag nvarchar(39) NOT NULL, state int NOT NULL, request nvarchar(254),
    response nvarchar(254), startCount int, lastStarted datetime, progressPercent smallint, updated datetime NOT NULL,
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE SystemEvent (SystemEvent_id INTEGER PRIMARY KEY, scope int NOT NULL, owner int NOT NULL,
    eventkey nvarchar(254), eventmess nvarchar(254), eta datetime, registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE activeuser (activeuser_id INTEGER PRIMARY KEY, lastlogin datetime, clientType smallint,
    computerName nvarchar(127));
CREATE TABLE locking (id INTEGER PRIMARY KEY, status int, lock_expire datetime, lock_pid int);
CREATE TABLE mail_in_filter (id INTEGER PRIMARY KEY, server_type smallint, pop_server nvarchar(255),
    pop_user nvarchar(255), pop_password nvarchar(255), domain nvarchar(255), address nvarchar(255), category_id int,
    priority int, reply_template_id int NOT NULL, checkwait int NOT NULL, next_check datetime, status int,
    last_error nvarchar, mailgun_dsn smallint, language_id int);
CREATE TABLE mail_alias (id INTEGER PRIMARY KEY, filter_id int NOT NULL, alias nvarchar(255));
CREATE TABLE mail_in_uidl (id INTEGER PRIMARY KEY, filter_id int NOT NULL, uidl nvarchar(2047));
CREATE TABLE ms_filter (id INTEGER PRIMARY KEY, description nvarchar(255), search_string nvarchar(255),
    search_string2 nvarchar(255), action int NOT NULL, reply_to nvarchar(255), forward_to nvarchar(255));
CREATE TABLE ms_filter_mail (id INTEGER PRIMARY KEY, mail_sorter_id int NOT NULL, mail_in_filter_id int NOT NULL);
CREATE TABLE ms_trashbin (id INTEGER PRIMARY KEY, mail_in_filter_id int NOT NULL, subject nvarchar(255));
CREATE TABLE inbox (id INTEGER PRIMARY KEY, uidl nvarchar(2047), plugin nvarchar(255) NOT NULL,
    format nvarchar(255) NOT NULL);
CREATE TABLE outbox (id INTEGER PRIMARY KEY, ticket_id int, message_id int, subject nvarchar(255) NOT NULL,
    from_email nvarchar(255) NOT NULL, from_envelope nvarchar(255) NOT NULL, rcpt nvarchar, created datetime,
    status int NOT NULL, retries int NOT NULL, next_retry datetime, type int NOT NULL, rfc822_content nvarchar);
CREATE TABLE sms (id INTEGER PRIMARY KEY, sms_text nvarchar, outbox_id int NOT NULL, delivery_status nvarchar(255));
CREATE TABLE mail_block (id INTEGER PRIMARY KEY, mail_addr nvarchar(255), time_pool int);
CREATE TABLE email_account (email_account_id INTEGER PRIMARY KEY, email_address nvarchar(255), associate_id int,
    incoming_auth int, outgoing_auth int, account_status smallint, encryptedCheck nvarchar(254) NOT NULL,
    use_graph_api smallint NOT NULL, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE service_auth (service_auth_id INTEGER PRIMARY KEY, server nvarchar(255), port int,
    auth_type nvarchar(255), username nvarchar(255), password nvarchar(255), associate_id int,
    encryptedCheck nvarchar(254) NOT NULL, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE email_folder (email_folder_id INTEGER PRIMARY KEY, account_id int, name nvarchar(255),
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE email_item (email_item_id INTEGER PRIMARY KEY, account_id int, mime nvarchar, subject nvarchar(255),
    "from" nvarchar(4000), "to" nvarchar(4000), cc nvarchar(4000), html_body nvarchar,
    server_identifier nvarchar(1024) NOT NULL, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE email_attachment (email_attachment_id INTEGER PRIMARY KEY, email_item_id int, filename nvarchar(255));
CREATE TABLE ticket (id INTEGER PRIMARY KEY, title nvarchar(255) NOT NULL, created_at datetime NOT NULL,
    last_changed datetime, closed_at datetime, created_by int NOT NULL, author nvarchar(255), owned_by int NOT NULL,
    category int NOT NULL, status smallint NOT NULL, ticket_status int NOT NULL, cust_id int NOT NULL,
    priority int NOT NULL, activate datetime, alert_timeout datetime, alert_stop int NOT NULL, deadline datetime,
    filter_id int NOT NULL, display_filter nvarchar(255), filter_address nvarchar(255), from_address nvarchar(4000));
CREATE TABLE ticket_status (id INTEGER PRIMARY KEY, status smallint NOT NULL, name nvarchar(255) NOT NULL,
    deleted smallint);
CREATE TABLE ej_message (id INTEGER PRIMARY KEY, ticket_id int NOT NULL, created_at datetime, author nvarchar(255),
    message_id nvarchar(850) NOT NULL, body nvarchar, html_body nvarchar, email_header nvarchar, debug_info nvarchar,
    customer_id int NOT NULL, body_attachment int NOT NULL, html_body_attachment int NOT NULL);
CREATE TABLE message_customers (id INTEGER PRIMARY KEY, message_id int NOT NULL, customer_id int NOT NULL,
    email nvarchar(255));
CREATE TABLE message_header (id INTEGER PRIMARY KEY, message_id int NOT NULL, name nvarchar(64), value nvarchar);
CREATE TABLE attachment (id INTEGER PRIMARY KEY, content_type nvarchar(255), name nvarchar(255), att_size int,
    auth_key nvarchar(255), attachment_location_id int);
CREATE TABLE attachment_location (attachment_location_id INTEGER PRIMARY KEY, path nvarchar(4000),
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE ticket_attachment (id INTEGER PRIMARY KEY, attachment_id int, message_id int NOT NULL,
    content_id nvarchar(255), inline_image smallint NOT NULL);
CREATE TABLE kb_attachment (id INTEGER PRIMARY KEY, entry_id int NOT NULL, attachment_id int NOT NULL);
CREATE TABLE reply_template_attachment (id INTEGER PRIMARY KEY, entry_id int NOT NULL, attachment_id int NOT NULL);
CREATE TABLE s_attachment (id INTEGER PRIMARY KEY, attachment_id int NOT NULL, message_id int NOT NULL);
CREATE TABLE s_picture_entry (id INTEGER PRIMARY KEY, attachment_id int, description nvarchar(255),
    registered datetime, registered_associate_id int, updated datetime, updated_associate_id int,
    updatedCount smallint);
CREATE TABLE external_document (id INTEGER PRIMARY KEY, attachment_id int NOT NULL, title nvarchar(255) NOT NULL);
CREATE TABLE ejpackage (id INTEGER PRIMARY KEY, name nvarchar(255), package_version nvarchar(255),
    attachment_id int NOT NULL, uploaded_by int NOT NULL, install_script nvarchar, locked smallint NOT NULL);
CREATE TABLE ejpackage_item (id INTEGER PRIMARY KEY, ejpackage int NOT NULL, domain int NOT NULL,
    item_id int NOT NULL);
CREATE TABLE document (document_id INTEGER PRIMARY KEY, name nvarchar(511) NOT NULL, header nvarchar(219),
    archiveProvider int, appointment_id int, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    extref nvarchar(511), ExtUrl nvarchar(1023), contentSetCount int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE appointment (appointment_id INTEGER PRIMARY KEY, associate_id int NOT NULL, contact_id int,
    person_id int, document_id int, emailId int, SendEmail smallint, location nvarchar(254),
    external_participants nvarchar, join_videomeet_url nvarchar(2000), registered datetime NOT NULL,
    registered_associate_id int, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE DocTmpl (DocTmpl_id INTEGER PRIMARY KEY, name nvarchar(239) NOT NULL, filename nvarchar(239) NOT NULL,
    autoevent_id int, record_type smallint NOT NULL, loadTemplateFromPlugin int, senderEmailMode smallint,
    senderEmailAddress nvarchar(256), emailSubject nvarchar(4000), registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE BinaryObject (BinaryObject_id INTEGER PRIMARY KEY, conceptualType nvarchar(254) NOT NULL,
    mimeType nvarchar(254), originalSize int NOT NULL, blobSize int NOT NULL, binaryData varbinary,
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE Webhook (webhook_id INTEGER PRIMARY KEY, name nvarchar(400) NOT NULL, events nvarchar(4000) NOT NULL,
    target_url nvarchar(4000) NOT NULL, type nvarchar(100) NOT NULL, application_token nvarchar(200), headers nvarchar,
    properties nvarchar, secret nvarchar(400), state smallint NOT NULL, errors_email nvarchar(239),
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE Webhook_usage (webhook_usage_id INTEGER PRIMARY KEY, total_calls int NOT NULL,
    total_errors int NOT NULL, consecutive_errors int NOT NULL, last_error nvarchar(4000), registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE Webhook_notify (webhook_notify_id INTEGER PRIMARY KEY, webhook_id int NOT NULL, associate_id int,
    email_recipient nvarchar(239), registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE ExtApp (ExtApp_id INTEGER PRIMARY KEY, name nvarchar(239) NOT NULL, deleted smallint,
    filename nvarchar(239) NOT NULL, parameters nvarchar(239), url1 nvarchar(1023), appType smallint,
    navigation smallint NOT NULL, configInfo nvarchar(2047), registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE config (id INTEGER PRIMARY KEY, text_path nvarchar(255), attachment_path nvarchar(255),
    template_path nvarchar(255), admin_mail nvarchar(255), default_mail nvarchar(255), panic_mail nvarchar(255),
    smtp_host nvarchar(255), smtp_port int NOT NULL, cgi_url nvarchar(255), cgi_url_internal nvarchar(255),
    gfx_url nvarchar(255), tag nvarchar(32), unique_id nvarchar(32), feature_toggle nvarchar);
CREATE TABLE registry (id INTEGER PRIMARY KEY, reg_id int NOT NULL, name nvarchar(255) NOT NULL, value nvarchar(255));
CREATE TABLE UserPreference (userpreference_id INTEGER PRIMARY KEY, deflevel smallint NOT NULL,
    owner_id int NOT NULL, prefsection nvarchar(199) NOT NULL, prefkey nvarchar(199) NOT NULL, prefvalue nvarchar(2046),
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE s_shipment (id INTEGER PRIMARY KEY, description nvarchar(255), message_id int NOT NULL,
    start_date datetime, from_addr nvarchar(255) NOT NULL, reply_addr nvarchar(255), envelope_from nvarchar(255),
    smtp_serv nvarchar(255), smtp_port int NOT NULL, status smallint NOT NULL, registered datetime,
    registered_associate_id int, updated datetime, updated_associate_id int, updatedCount smallint);
CREATE TABLE s_shipment_addr (id INTEGER PRIMARY KEY, shipment_id int NOT NULL, address nvarchar(255) NOT NULL,
    name nvarchar(255), customer_id int NOT NULL, status smallint);
CREATE TABLE s_smtp_servers (id INTEGER PRIMARY KEY, shipment_id int NOT NULL, smtp_server nvarchar(255));
CREATE TABLE s_message (id INTEGER PRIMARY KEY, subject nvarchar(255), html_message nvarchar,
    plain_message nvarchar, header_field nvarchar, registered datetime, registered_associate_id int, updated datetime,
    updated_associate_id int, updatedCount smallint);
CREATE TABLE email_flow (email_flow_id INTEGER PRIMARY KEY, workflow_id int, from_addr nvarchar(255),
    reply_to_addr nvarchar(255), registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE workflow (workflow_id INTEGER PRIMARY KEY, name nvarchar(255), status smallint, associate_id int,
    workflow_start datetime, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE workflow_instance (workflow_instance_id INTEGER PRIMARY KEY, workflow_id int, status smallint,
    person_id int, wait_until datetime, variables nvarchar, registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE ErpConnector (erpconnector_id INTEGER PRIMARY KEY, URL nvarchar(1023), Deleted smallint,
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE ErpConnection (erpconnection_id INTEGER PRIMARY KEY, ErpConnectorId int, ConnectionId nvarchar(127),
    Active smallint, Deleted smallint, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE QuoteConnection (quoteconnection_id INTEGER PRIMARY KEY, ConnectorName nvarchar(254) NOT NULL,
    ExtraData nvarchar(3999), Deleted smallint, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE PushNotificationService (pushnotificationservice_id INTEGER PRIMARY KEY, AssociateId int NOT NULL,
    DeviceIdentifier nvarchar(256) NOT NULL, PNSHandle nvarchar(1024) NOT NULL, registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE foreignapp (foreignapp_id INTEGER PRIMARY KEY, name nvarchar(254), registered datetime NOT NULL,
    registered_associate_id int NOT NULL, updated datetime NOT NULL, updated_associate_id int NOT NULL,
    updatedCount smallint NOT NULL);
CREATE TABLE foreigndevice (foreigndevice_id INTEGER PRIMARY KEY, foreignapp_id int NOT NULL, owner_id int NOT NULL,
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE foreignkey (foreignkey_id INTEGER PRIMARY KEY, foreigndevice_id int NOT NULL,
    table_id smallint NOT NULL, record_id int NOT NULL, subkey nvarchar(239), subvalue nvarchar(239),
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE extra_tables (id INTEGER PRIMARY KEY, table_name nvarchar(64), name nvarchar(128));
CREATE TABLE extra_fields (id INTEGER PRIMARY KEY, domain int, extra_table int, field_name nvarchar(64), type int,
    default_value nvarchar(255));
CREATE TABLE sequence (id INTEGER PRIMARY KEY, next_id int, TableName nvarchar(255), TableNumber int);
CREATE TABLE DatabaseModel (databasemodel_id INTEGER PRIMARY KEY, ModelVersion nvarchar(128) NOT NULL,
    IsDatabaseUnicode smallint, ModelData varbinary);
CREATE TABLE traveltransactionlog (traveltransactionlog_id INTEGER PRIMARY KEY, ttime datetime NOT NULL,
    type smallint NOT NULL, associate_id int NOT NULL, tablenumber smallint NOT NULL, record_id int NOT NULL);
CREATE TABLE CacheInvalidation (cacheinvalidation_id INTEGER PRIMARY KEY, Name nvarchar(255), Generation int);
CREATE TABLE freetextwords (freetextwords_id INTEGER PRIMARY KEY, word nvarchar(19) NOT NULL);
CREATE TABLE freetextindex (freetextindex_id INTEGER PRIMARY KEY, freetextwords_id int NOT NULL,
    table_id smallint NOT NULL, record_id int NOT NULL);
CREATE TABLE Message (Message_id INTEGER PRIMARY KEY, associateId int NOT NULL, onlineapp_id int NOT NULL,
    expire datetime NOT NULL, registered datetime NOT NULL, registered_associate_id int NOT NULL,
    updated datetime NOT NULL, updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE satellite (satellite_id INTEGER PRIMARY KEY, contact_id int NOT NULL, DSN nvarchar(254) NOT NULL,
    registered datetime NOT NULL, registered_associate_id int NOT NULL, updated datetime NOT NULL,
    updated_associate_id int NOT NULL, updatedCount smallint NOT NULL);
CREATE TABLE BinaryObjectLink (BinaryObjectLink_id INTEGER PRIMARY KEY, binaryObjectId int NOT NULL,
    ownerTable smallint NOT NULL, ownerRecord int NOT NULL, linkComment nvarchar(254), linkType smallint NOT NULL);
CREATE TABLE dbi_agent_schedule (id INTEGER PRIMARY KEY, agent_id int, schedule_id int);
CREATE TABLE notify (id INTEGER PRIMARY KEY, custom_message nvarchar(255));
CREATE TABLE outgoing_message (id INTEGER PRIMARY KEY, status_description nvarchar(255));
CREATE TABLE log_events (id INTEGER PRIMARY KEY, var1 nvarchar);
CREATE TABLE log_debug (id INTEGER PRIMARY KEY, info nvarchar);
CREATE TABLE script_trace_run (id INTEGER PRIMARY KEY, frames nvarchar);
CREATE TABLE ejscript_debug (id INTEGER PRIMARY KEY, info nvarchar);
CREATE TABLE autosave (id INTEGER PRIMARY KEY, data nvarchar);
CREATE TABLE kb_entry_words (id INTEGER PRIMARY KEY, word nvarchar(63));
CREATE TABLE temporary_words (id INTEGER PRIMARY KEY, word nvarchar(63));
CREATE TABLE ej_category (id INTEGER PRIMARY KEY, name nvarchar(255), notification_email nvarchar(2047));
CREATE TABLE cust_lang (id INTEGER PRIMARY KEY, name nvarchar(255));
CREATE TABLE y_project_notes (id INTEGER PRIMARY KEY, x_text nvarchar, x_contact nvarchar(39));
