-- SPDX-License-Identifier: Apache-2.0
-- The rules of s09_rules.def. Values: now, clone_hex, source_endpoint, target_endpoint, service_path (in lower case,
-- such as /cust70000/cs/scripts/), files_root, sink_host.

-- name: s09_inbox_attachments_left
-- needs: email_attachment
SELECT count(*) FROM email_attachment
-- name: s09_inbox_attachments
-- needs: email_attachment
DELETE FROM email_attachment

-- name: s09_inbox_items_left
-- needs: email_item
SELECT count(*) FROM email_item
-- name: s09_inbox_items
-- needs: email_item
DELETE FROM email_item

-- name: s09_inbox_folders_left
-- needs: email_folder
SELECT count(*) FROM email_folder
-- name: s09_inbox_folders
-- needs: email_folder
DELETE FROM email_folder

-- name: s09_inbox_accounts_left
-- needs: email_account
SELECT count(*) FROM email_account
-- name: s09_inbox_accounts
-- needs: email_account
DELETE FROM email_account

-- name: s09_webhook_notify_left
-- needs: Webhook_notify
SELECT count(*) FROM Webhook_notify
-- name: s09_webhook_notify
-- needs: Webhook_notify
DELETE FROM Webhook_notify

-- name: s09_webhook_usage_left
-- needs: Webhook_usage
SELECT count(*) FROM Webhook_usage
-- name: s09_webhook_usage
-- needs: Webhook_usage
DELETE FROM Webhook_usage

-- name: s09_webhooks_left
-- needs: Webhook
SELECT count(*) FROM Webhook
-- name: s09_webhooks
-- needs: Webhook
DELETE FROM Webhook

-- ticket.status 1 active, 2 closed, 3 postponed
-- name: s09_open_requests_left
-- needs: ticket
SELECT count(*) FROM ticket WHERE status IN (1, 3)
-- name: s09_open_requests
-- needs: ticket
UPDATE ticket SET status = 2, closed_at = :now, activate = NULL WHERE status IN (1, 3)

-- name: s09_request_status_left
-- needs: ticket
-- needs: ticket_status
SELECT count(*) FROM ticket
 WHERE status = 2 AND ticket_status NOT IN (SELECT id FROM ticket_status WHERE status = 2)
   AND EXISTS (SELECT 1 FROM ticket_status WHERE status = 2)
-- name: s09_request_status
-- needs: ticket
-- needs: ticket_status
UPDATE ticket SET ticket_status = (SELECT min(id) FROM ticket_status WHERE status = 2)
 WHERE status = 2 AND ticket_status NOT IN (SELECT id FROM ticket_status WHERE status = 2)
   AND EXISTS (SELECT 1 FROM ticket_status WHERE status = 2)

-- A full Service URL of the source becomes a template variable and the rest: ticket.fcgi is csti, rms.fcgi csrm,
-- customer.fcgi cscu, blogic.fcgi csbl. The path of the tenant must be the path of the URL, not part of its query.
-- name: s09_panel_urls_left
-- needs: ExtApp
SELECT count(*) FROM ExtApp
 WHERE lower(substr(url1, 1, length(:source_endpoint))) = lower(:source_endpoint)
   AND substr(url1, length(:source_endpoint) + 1, 1) IN ('', '/', '?', '#')
-- name: s09_panel_urls
-- needs: ExtApp
UPDATE ExtApp SET url1 = :target_endpoint || substr(url1, length(:source_endpoint) + 1)
 WHERE lower(substr(url1, 1, length(:source_endpoint))) = lower(:source_endpoint)
   AND substr(url1, length(:source_endpoint) + 1, 1) IN ('', '/', '?', '#')

-- Credentials.isActive 0 outgoing, 1 incoming, 2 session
-- name: s09_session_credentials_left
-- needs: Credentials
SELECT count(*) FROM Credentials WHERE isActive IN (0, 2)
-- name: s09_session_credentials
-- needs: Credentials
DELETE FROM Credentials WHERE isActive IN (0, 2)

-- name: s09_service_sessions_left
-- needs: session_object
SELECT count(*) FROM session_object
-- name: s09_service_sessions
-- needs: session_object
DELETE FROM session_object

-- name: s09_service_logins_left
-- needs: login
SELECT count(*) FROM login
-- name: s09_service_logins
-- needs: login
DELETE FROM login

-- name: s09_customer_logins_left
-- needs: login_customer
SELECT count(*) FROM login_customer
-- name: s09_customer_logins
-- needs: login_customer
DELETE FROM login_customer

-- name: s09_temporary_keys_left
-- needs: TemporaryKey
SELECT count(*) FROM TemporaryKey
-- name: s09_temporary_keys
-- needs: TemporaryKey
DELETE FROM TemporaryKey

-- name: s09_user_candidates_left
-- needs: user_candidate
SELECT count(*) FROM user_candidate
-- name: s09_user_candidates
-- needs: user_candidate
DELETE FROM user_candidate

-- name: s09_active_users_left
-- needs: activeuser
SELECT count(*) FROM activeuser
-- name: s09_active_users
-- needs: activeuser
DELETE FROM activeuser

-- name: s09_mail_logins_left
-- needs: service_auth
SELECT count(*) FROM service_auth
-- name: s09_mail_logins
-- needs: service_auth
DELETE FROM service_auth

-- name: s09_push_handles_left
-- needs: PushNotificationService
SELECT count(*) FROM PushNotificationService
-- name: s09_push_handles
-- needs: PushNotificationService
DELETE FROM PushNotificationService

-- BlobLinkType 11 access token, 12 refresh token
-- name: s09_cloud_token_blobs_left
-- needs: BinaryObject
-- needs: BinaryObjectLink
SELECT count(*) FROM BinaryObject
 WHERE BinaryObject_id IN (SELECT binaryObjectId FROM BinaryObjectLink WHERE linkType IN (11, 12))
-- name: s09_cloud_token_blobs
-- needs: BinaryObject
-- needs: BinaryObjectLink
DELETE FROM BinaryObject
 WHERE BinaryObject_id IN (SELECT binaryObjectId FROM BinaryObjectLink WHERE linkType IN (11, 12))

-- name: s09_cloud_token_links_left
-- needs: BinaryObjectLink
SELECT count(*) FROM BinaryObjectLink WHERE linkType IN (11, 12)
-- name: s09_cloud_token_links
-- needs: BinaryObjectLink
DELETE FROM BinaryObjectLink WHERE linkType IN (11, 12)

-- name: s09_netserver_keys_left
-- needs: registry
SELECT count(*) FROM registry WHERE name IN ('SystemNSKey', 'AnonNSKey', 'NsPluginConfig') AND coalesce(value, '') <> ''
-- name: s09_netserver_keys
-- needs: registry
UPDATE registry SET value = ''
 WHERE name IN ('SystemNSKey', 'AnonNSKey', 'NsPluginConfig') AND coalesce(value, '') <> ''

-- name: s09_text_messages_left
-- needs: sms
SELECT count(*) FROM sms
-- name: s09_text_messages
-- needs: sms
DELETE FROM sms

-- name: s09_outgoing_messages_left
-- needs: outgoing_message
SELECT count(*) FROM outgoing_message
-- name: s09_outgoing_messages
-- needs: outgoing_message
DELETE FROM outgoing_message

-- name: s09_outbox_left
-- needs: outbox
SELECT count(*) FROM outbox
-- name: s09_outbox
-- needs: outbox
DELETE FROM outbox

-- name: s09_inbox_left
-- needs: inbox
SELECT count(*) FROM inbox
-- name: s09_inbox
-- needs: inbox
DELETE FROM inbox

-- name: s09_read_mails_left
-- needs: mail_in_uidl
SELECT count(*) FROM mail_in_uidl
-- name: s09_read_mails
-- needs: mail_in_uidl
DELETE FROM mail_in_uidl

-- name: s09_popups_left
-- needs: notify
SELECT count(*) FROM notify
-- name: s09_popups
-- needs: notify
DELETE FROM notify

-- s_shipment.status 3 waiting, 4 started, 6 retry, 7 populating, 9 await populate, 10 populating only; 2 canceled
-- name: s09_mailings_left
-- needs: s_shipment
SELECT count(*) FROM s_shipment WHERE status IN (3, 4, 6, 7, 9, 10)
-- name: s09_mailings
-- needs: s_shipment
UPDATE s_shipment SET status = 2 WHERE status IN (3, 4, 6, 7, 9, 10)

-- workflow.status 3 running, 2 paused
-- name: s09_flows_left
-- needs: workflow
SELECT count(*) FROM workflow WHERE status = 3
-- name: s09_flows
-- needs: workflow
UPDATE workflow SET status = 2 WHERE status = 3

-- name: s09_escalations_left
-- needs: ticket.alert_timeout
SELECT count(*) FROM ticket WHERE alert_timeout IS NOT NULL
-- name: s09_escalations
-- needs: ticket.alert_timeout
UPDATE ticket SET alert_timeout = NULL WHERE alert_timeout IS NOT NULL

-- name: s09_batch_tasks_left
-- needs: BatchTask
SELECT count(*) FROM BatchTask
-- name: s09_batch_tasks
-- needs: BatchTask
DELETE FROM BatchTask

-- name: s09_integration_schedules_left
-- needs: dbi_agent_schedule
SELECT count(*) FROM dbi_agent_schedule WHERE schedule_id > 0
-- name: s09_integration_schedules
-- needs: dbi_agent_schedule
UPDATE dbi_agent_schedule SET schedule_id = NULL WHERE schedule_id > 0

-- name: s09_schedule_locks_left
-- needs: schedule
SELECT count(*) FROM schedule WHERE lock_expire IS NOT NULL OR coalesce(lock_pid, 0) <> 0
-- name: s09_schedule_locks
-- needs: schedule
UPDATE schedule SET lock_expire = NULL, lock_pid = NULL WHERE lock_expire IS NOT NULL OR coalesce(lock_pid, 0) <> 0

-- name: s09_process_locks_left
-- needs: locking
SELECT count(*) FROM locking WHERE lock_expire IS NOT NULL OR coalesce(lock_pid, 0) <> 0
-- name: s09_process_locks
-- needs: locking
UPDATE locking SET lock_expire = NULL, lock_pid = NULL WHERE lock_expire IS NOT NULL OR coalesce(lock_pid, 0) <> 0

-- name: s09_erp_connections_left
-- needs: ErpConnection
SELECT count(*) FROM ErpConnection WHERE Active <> 0
-- name: s09_erp_connections
-- needs: ErpConnection
UPDATE ErpConnection SET Active = 0 WHERE Active <> 0

-- name: s09_quote_connections_left
-- needs: QuoteConnection
SELECT count(*) FROM QuoteConnection WHERE coalesce(ExtraData, '') <> ''
-- name: s09_quote_connections
-- needs: QuoteConnection
UPDATE QuoteConnection SET ExtraData = '' WHERE coalesce(ExtraData, '') <> ''

-- name: s09_data_sources_left
-- needs: ext_datasource
SELECT count(*) FROM ext_datasource
 WHERE coalesce(hostname, '') <> '' OR coalesce(username, '') <> '' OR coalesce(password, '') <> ''
-- name: s09_data_sources
-- needs: ext_datasource
UPDATE ext_datasource SET hostname = '', username = '', password = ''
 WHERE coalesce(hostname, '') <> '' OR coalesce(username, '') <> '' OR coalesce(password, '') <> ''

-- name: s09_mailing_servers_left
-- needs: s_shipment
SELECT count(*) FROM s_shipment WHERE coalesce(smtp_serv, :sink_host) <> :sink_host
-- name: s09_mailing_servers
-- needs: s_shipment
UPDATE s_shipment SET smtp_serv = :sink_host WHERE coalesce(smtp_serv, :sink_host) <> :sink_host

-- name: s09_mailing_server_lists_left
-- needs: s_smtp_servers
SELECT count(*) FROM s_smtp_servers WHERE coalesce(smtp_server, :sink_host) <> :sink_host
-- name: s09_mailing_server_lists
-- needs: s_smtp_servers
UPDATE s_smtp_servers SET smtp_server = :sink_host WHERE coalesce(smtp_server, :sink_host) <> :sink_host

-- An empty host may mean the default of the platform: that is no sink either.
-- name: s09_mail_server_left
-- needs: config.smtp_host
SELECT count(*) FROM config WHERE coalesce(smtp_host, '') <> :sink_host
-- name: s09_mail_server
-- needs: config.smtp_host
UPDATE config SET smtp_host = :sink_host WHERE coalesce(smtp_host, '') <> :sink_host

-- name: s09_service_urls_left
-- needs: config
SELECT count(*) FROM config
 WHERE coalesce(cgi_url, '') <> :target_endpoint || '/CS/scripts'
    OR coalesce(cgi_url_internal, '') <> :target_endpoint || '/CS/scripts'
    OR coalesce(gfx_url, '') <> :target_endpoint || '/CS/graphics'
-- name: s09_service_urls
-- needs: config
UPDATE config SET cgi_url = :target_endpoint || '/CS/scripts', cgi_url_internal = :target_endpoint || '/CS/scripts',
                  gfx_url = :target_endpoint || '/CS/graphics'

-- name: s09_service_paths_left
-- needs: config
SELECT count(*) FROM config
 WHERE coalesce(text_path, '') <> :files_root || '/text' OR coalesce(template_path, '') <> :files_root || '/Template'
    OR coalesce(attachment_path, '') <> :files_root || '/Attachments'
-- name: s09_service_paths
-- needs: config
UPDATE config SET text_path = :files_root || '/text', template_path = :files_root || '/Template',
                  attachment_path = :files_root || '/Attachments'

-- name: s09_installation_id_left
-- needs: config.unique_id
SELECT count(*) FROM config WHERE coalesce(unique_id, '') <> :clone_hex
-- name: s09_installation_id
-- needs: config.unique_id
UPDATE config SET unique_id = :clone_hex WHERE coalesce(unique_id, '') <> :clone_hex

-- name: s09_registry_urls_left
-- needs: registry
SELECT count(*) FROM registry
 WHERE lower(substr(value, 1, length(:source_endpoint))) = lower(:source_endpoint)
   AND substr(value, length(:source_endpoint) + 1, 1) IN ('', '/', '?', '#')
-- name: s09_registry_urls
-- needs: registry
UPDATE registry SET value = :target_endpoint || substr(value, length(:source_endpoint) + 1)
 WHERE lower(substr(value, 1, length(:source_endpoint))) = lower(:source_endpoint)
   AND substr(value, length(:source_endpoint) + 1, 1) IN ('', '/', '?', '#')

-- name: s09_attachment_roots_left
-- needs: attachment_location
SELECT count(*) FROM attachment_location WHERE coalesce(path, '') <> :files_root || '/Attachments'
-- name: s09_attachment_roots
-- needs: attachment_location
UPDATE attachment_location SET path = :files_root || '/Attachments'
 WHERE coalesce(path, '') <> :files_root || '/Attachments'

-- name: s09_event_log_left
-- needs: log_events
SELECT count(*) FROM log_events
-- name: s09_event_log
-- needs: log_events
DELETE FROM log_events

-- name: s09_debug_log_left
-- needs: log_debug
SELECT count(*) FROM log_debug
-- name: s09_debug_log
-- needs: log_debug
DELETE FROM log_debug

-- name: s09_script_traces_left
-- needs: script_trace_run
SELECT count(*) FROM script_trace_run
-- name: s09_script_traces
-- needs: script_trace_run
DELETE FROM script_trace_run

-- name: s09_script_debug_left
-- needs: ejscript_debug
SELECT count(*) FROM ejscript_debug
-- name: s09_script_debug
-- needs: ejscript_debug
DELETE FROM ejscript_debug

-- name: s09_unsaved_texts_left
-- needs: autosave
SELECT count(*) FROM autosave
-- name: s09_unsaved_texts
-- needs: autosave
DELETE FROM autosave

-- Raised to the next whole million: more than any cache of the source has seen, and a second time changes nothing.
-- name: s09_caches_left
-- needs: CacheInvalidation
SELECT count(*) FROM CacheInvalidation WHERE coalesce(Generation, 1) % 1000000 <> 0
-- name: s09_caches
-- needs: CacheInvalidation
UPDATE CacheInvalidation SET Generation = (coalesce(Generation, 1) / 1000000 + 1) * 1000000
 WHERE coalesce(Generation, 1) % 1000000 <> 0

-- The index keeps pieces of addresses; the platform builds a new one.
-- name: s09_index_entries_left
-- needs: freetextindex
SELECT count(*) FROM freetextindex
-- name: s09_index_entries
-- needs: freetextindex
DELETE FROM freetextindex

-- name: s09_index_words_left
-- needs: freetextwords
SELECT count(*) FROM freetextwords
-- name: s09_index_words
-- needs: freetextwords
DELETE FROM freetextwords

-- name: s09_faq_words_left
-- needs: kb_entry_words
SELECT count(*) FROM kb_entry_words
-- name: s09_faq_words
-- needs: kb_entry_words
DELETE FROM kb_entry_words

-- name: s09_scratch_words_left
-- needs: temporary_words
SELECT count(*) FROM temporary_words
-- name: s09_scratch_words
-- needs: temporary_words
DELETE FROM temporary_words

-- name: s09_test_flags_off_left
-- needs: UserPreference
SELECT count(*) FROM UserPreference
 WHERE prefsection = 'TestEnvironment'
   AND (deflevel <> 3 OR owner_id <> 0 OR
        coalesce(prefvalue, '') <> CASE WHEN prefkey = 'IsTestEnvironment' THEN '1' ELSE '0' END)
-- name: s09_test_flags_off
-- needs: UserPreference
DELETE FROM UserPreference
 WHERE prefsection = 'TestEnvironment'
   AND (deflevel <> 3 OR owner_id <> 0 OR
        coalesce(prefvalue, '') <> CASE WHEN prefkey = 'IsTestEnvironment' THEN '1' ELSE '0' END)

-- The master switch on, the seven channels that could leave the sandbox off.
-- name: s09_test_flags_left
-- needs: UserPreference
SELECT 8 - count(DISTINCT prefkey) FROM UserPreference
 WHERE prefsection = 'TestEnvironment' AND deflevel = 3 AND owner_id = 0
   AND prefkey IN ('IsTestEnvironment', 'EnablePocketNotifications', 'EnableMailings', 'EnableServiceSendMails',
                   'EnableCRMScriptHttp', 'EnableInbox', 'EnableErpSync', 'EnableQuoteConnector')
-- name: s09_test_flags
-- needs: UserPreference
INSERT INTO UserPreference (userpreference_id, deflevel, owner_id, prefsection, prefkey, prefvalue,
                            registered, registered_associate_id, updated, updated_associate_id, updatedCount)
SELECT (SELECT coalesce(max(userpreference_id), 0) FROM UserPreference) + row_number() OVER (ORDER BY flag.key),
       3, 0, 'TestEnvironment', flag.key, CASE WHEN flag.key = 'IsTestEnvironment' THEN '1' ELSE '0' END,
       :now, 0, :now, 0, 0
  FROM (SELECT 'IsTestEnvironment' AS key UNION ALL SELECT 'EnablePocketNotifications' UNION ALL
        SELECT 'EnableMailings' UNION ALL SELECT 'EnableServiceSendMails' UNION ALL SELECT 'EnableCRMScriptHttp'
        UNION ALL SELECT 'EnableInbox' UNION ALL SELECT 'EnableErpSync' UNION ALL SELECT 'EnableQuoteConnector') AS flag
 WHERE NOT EXISTS (SELECT 1 FROM UserPreference AS p WHERE p.prefsection = 'TestEnvironment' AND p.deflevel = 3
                   AND p.owner_id = 0 AND p.prefkey = flag.key)

-- Keys: sequence.next_id must lie beyond every key of its table, also when the source was busy while it was copied.
-- name: s09_sequence_tables
-- needs: sequence.TableName
SELECT TableName FROM sequence WHERE coalesce(TableName, '') <> '' ORDER BY TableName

-- name: s09_sequence_lag
SELECT count(*) FROM sequence
 WHERE lower(TableName) = lower(:table) AND coalesce(next_id, 0) <= (SELECT coalesce(max({key}), 0) FROM {table})
