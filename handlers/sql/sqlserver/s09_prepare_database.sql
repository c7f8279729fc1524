-- SPDX-License-Identifier: Apache-2.0
-- The rules of s09_rules.def. Values: now, clone_hex, source_endpoint, target_endpoint, service_path (in lower case,
-- such as /cust70000/cs/scripts/), files_root, sink_host.

-- name: s09_inbox_attachments_left
-- needs: email_attachment
SELECT COUNT(*) FROM {schema}.email_attachment
-- name: s09_inbox_attachments
-- needs: email_attachment
DELETE FROM {schema}.email_attachment

-- name: s09_inbox_items_left
-- needs: email_item
SELECT COUNT(*) FROM {schema}.email_item
-- name: s09_inbox_items
-- needs: email_item
DELETE FROM {schema}.email_item

-- name: s09_inbox_folders_left
-- needs: email_folder
SELECT COUNT(*) FROM {schema}.email_folder
-- name: s09_inbox_folders
-- needs: email_folder
DELETE FROM {schema}.email_folder

-- name: s09_inbox_accounts_left
-- needs: email_account
SELECT COUNT(*) FROM {schema}.email_account
-- name: s09_inbox_accounts
-- needs: email_account
DELETE FROM {schema}.email_account

-- name: s09_webhook_notify_left
-- needs: Webhook_notify
SELECT COUNT(*) FROM {schema}.Webhook_notify
-- name: s09_webhook_notify
-- needs: Webhook_notify
DELETE FROM {schema}.Webhook_notify

-- name: s09_webhook_usage_left
-- needs: Webhook_usage
SELECT COUNT(*) FROM {schema}.Webhook_usage
-- name: s09_webhook_usage
-- needs: Webhook_usage
DELETE FROM {schema}.Webhook_usage

-- name: s09_webhooks_left
-- needs: Webhook
SELECT COUNT(*) FROM {schema}.Webhook
-- name: s09_webhooks
-- needs: Webhook
DELETE FROM {schema}.Webhook

-- ticket.status 1 active, 2 closed, 3 postponed
-- name: s09_open_requests_left
-- needs: ticket
SELECT COUNT(*) FROM {schema}.ticket WHERE status IN (1, 3)
-- name: s09_open_requests
-- needs: ticket
UPDATE {schema}.ticket SET status = 2, closed_at = :now, activate = NULL WHERE status IN (1, 3)

-- name: s09_request_status_left
-- needs: ticket
-- needs: ticket_status
SELECT COUNT(*) FROM {schema}.ticket
 WHERE status = 2 AND ticket_status NOT IN (SELECT id FROM {schema}.ticket_status WHERE status = 2)
   AND EXISTS (SELECT 1 FROM {schema}.ticket_status WHERE status = 2)
-- name: s09_request_status
-- needs: ticket
-- needs: ticket_status
UPDATE {schema}.ticket SET ticket_status = (SELECT MIN(id) FROM {schema}.ticket_status WHERE status = 2)
 WHERE status = 2 AND ticket_status NOT IN (SELECT id FROM {schema}.ticket_status WHERE status = 2)
   AND EXISTS (SELECT 1 FROM {schema}.ticket_status WHERE status = 2)

-- A full Service URL of the source becomes a template variable and the rest: ticket.fcgi is csti, rms.fcgi csrm,
-- customer.fcgi cscu, blogic.fcgi csbl. The path of the tenant must be the path of the URL, not part of its query.
-- name: s09_panel_variables_left
-- needs: ExtApp
SELECT COUNT(*) FROM {schema}.ExtApp
 WHERE CHARINDEX('://', url1) > 0
   AND CHARINDEX(:service_path, LOWER(url1)) = CHARINDEX('://', url1) + 2
      + CHARINDEX('/', SUBSTRING(url1, CHARINDEX('://', url1) + 3, LEN(url1)))
   AND EXISTS (SELECT 1 FROM (SELECT 'ticket.fcgi' AS program UNION ALL SELECT 'rms.fcgi' UNION ALL
                              SELECT 'customer.fcgi' UNION ALL SELECT 'blogic.fcgi') AS p
                WHERE SUBSTRING(LOWER(url1), CHARINDEX(:service_path, LOWER(url1)) + LEN(:service_path),
                             LEN(p.program)) = p.program)
-- name: s09_panel_variables
-- needs: ExtApp
UPDATE {schema}.ExtApp SET url1 = (
       SELECT v.variable + SUBSTRING(url1, CHARINDEX(:service_path, LOWER(url1)) + LEN(:service_path)
          + LEN(v.program), LEN(url1))
         FROM (SELECT 'ticket.fcgi' AS program, '<csti>' AS variable UNION ALL SELECT 'rms.fcgi', '<csrm>' UNION ALL
               SELECT 'customer.fcgi', '<cscu>' UNION ALL SELECT 'blogic.fcgi', '<csbl>') AS v
        WHERE SUBSTRING(LOWER(url1), CHARINDEX(:service_path, LOWER(url1)) + LEN(:service_path),
                     LEN(v.program)) = v.program)
 WHERE CHARINDEX('://', url1) > 0
   AND CHARINDEX(:service_path, LOWER(url1)) = CHARINDEX('://', url1) + 2
      + CHARINDEX('/', SUBSTRING(url1, CHARINDEX('://', url1) + 3, LEN(url1)))
   AND EXISTS (SELECT 1 FROM (SELECT 'ticket.fcgi' AS program UNION ALL SELECT 'rms.fcgi' UNION ALL
                              SELECT 'customer.fcgi' UNION ALL SELECT 'blogic.fcgi') AS p
                WHERE SUBSTRING(LOWER(url1), CHARINDEX(:service_path, LOWER(url1)) + LEN(:service_path),
                             LEN(p.program)) = p.program)

-- The endpoint of the source ends where the URL ends or a slash, question mark or hash follows: acme is not acme-2.
-- name: s09_panel_urls_left
-- needs: ExtApp
SELECT COUNT(*) FROM {schema}.ExtApp
 WHERE LOWER(SUBSTRING(url1, 1, LEN(:source_endpoint))) = LOWER(:source_endpoint)
   AND SUBSTRING(url1, LEN(:source_endpoint) + 1, 1) IN ('', '/', '?', '#')
-- name: s09_panel_urls
-- needs: ExtApp
UPDATE {schema}.ExtApp SET url1 = :target_endpoint + SUBSTRING(url1, LEN(:source_endpoint) + 1, LEN(url1))
 WHERE LOWER(SUBSTRING(url1, 1, LEN(:source_endpoint))) = LOWER(:source_endpoint)
   AND SUBSTRING(url1, LEN(:source_endpoint) + 1, 1) IN ('', '/', '?', '#')

-- Credentials.isActive 0 outgoing, 1 incoming, 2 session
-- name: s09_session_credentials_left
-- needs: Credentials
SELECT COUNT(*) FROM {schema}.Credentials WHERE isActive IN (0, 2)
-- name: s09_session_credentials
-- needs: Credentials
DELETE FROM {schema}.Credentials WHERE isActive IN (0, 2)

-- name: s09_service_sessions_left
-- needs: session_object
SELECT COUNT(*) FROM {schema}.session_object
-- name: s09_service_sessions
-- needs: session_object
DELETE FROM {schema}.session_object

-- name: s09_service_logins_left
-- needs: login
SELECT COUNT(*) FROM {schema}.login
-- name: s09_service_logins
-- needs: login
DELETE FROM {schema}.login

-- name: s09_customer_logins_left
-- needs: login_customer
SELECT COUNT(*) FROM {schema}.login_customer
-- name: s09_customer_logins
-- needs: login_customer
DELETE FROM {schema}.login_customer

-- name: s09_temporary_keys_left
-- needs: TemporaryKey
SELECT COUNT(*) FROM {schema}.TemporaryKey
-- name: s09_temporary_keys
-- needs: TemporaryKey
DELETE FROM {schema}.TemporaryKey

-- name: s09_user_candidates_left
-- needs: user_candidate
SELECT COUNT(*) FROM {schema}.user_candidate
-- name: s09_user_candidates
-- needs: user_candidate
DELETE FROM {schema}.user_candidate

-- name: s09_active_users_left
-- needs: activeuser
SELECT COUNT(*) FROM {schema}.activeuser
-- name: s09_active_users
-- needs: activeuser
DELETE FROM {schema}.activeuser

-- name: s09_mail_logins_left
-- needs: service_auth
SELECT COUNT(*) FROM {schema}.service_auth
-- name: s09_mail_logins
-- needs: service_auth
DELETE FROM {schema}.service_auth

-- name: s09_push_handles_left
-- needs: PushNotificationService
SELECT COUNT(*) FROM {schema}.PushNotificationService
-- name: s09_push_handles
-- needs: PushNotificationService
DELETE FROM {schema}.PushNotificationService

-- BlobLinkType 11 access token, 12 refresh token
-- name: s09_cloud_token_blobs_left
-- needs: BinaryObject
-- needs: BinaryObjectLink
SELECT COUNT(*) FROM {schema}.BinaryObject
 WHERE BinaryObject_id IN (SELECT binaryObjectId FROM {schema}.BinaryObjectLink WHERE linkType IN (11, 12))
-- name: s09_cloud_token_blobs
-- needs: BinaryObject
-- needs: BinaryObjectLink
DELETE FROM {schema}.BinaryObject
 WHERE BinaryObject_id IN (SELECT binaryObjectId FROM {schema}.BinaryObjectLink WHERE linkType IN (11, 12))

-- name: s09_cloud_token_links_left
-- needs: BinaryObjectLink
SELECT COUNT(*) FROM {schema}.BinaryObjectLink WHERE linkType IN (11, 12)
-- name: s09_cloud_token_links
-- needs: BinaryObjectLink
DELETE FROM {schema}.BinaryObjectLink WHERE linkType IN (11, 12)

-- name: s09_netserver_keys_left
-- needs: registry
SELECT COUNT(*) FROM {schema}.registry WHERE name IN ('SystemNSKey', 'AnonNSKey', 'NsPluginConfig')
   AND COALESCE(value, '') <> ''
-- name: s09_netserver_keys
-- needs: registry
UPDATE {schema}.registry SET value = ''
 WHERE name IN ('SystemNSKey', 'AnonNSKey', 'NsPluginConfig') AND COALESCE(value, '') <> ''

-- name: s09_text_messages_left
-- needs: sms
SELECT COUNT(*) FROM {schema}.sms
-- name: s09_text_messages
-- needs: sms
DELETE FROM {schema}.sms

-- name: s09_outgoing_messages_left
-- needs: outgoing_message
SELECT COUNT(*) FROM {schema}.outgoing_message
-- name: s09_outgoing_messages
-- needs: outgoing_message
DELETE FROM {schema}.outgoing_message

-- name: s09_outbox_left
-- needs: outbox
SELECT COUNT(*) FROM {schema}.outbox
-- name: s09_outbox
-- needs: outbox
DELETE FROM {schema}.outbox

-- name: s09_inbox_left
-- needs: inbox
SELECT COUNT(*) FROM {schema}.inbox
-- name: s09_inbox
-- needs: inbox
DELETE FROM {schema}.inbox

-- name: s09_read_mails_left
-- needs: mail_in_uidl
SELECT COUNT(*) FROM {schema}.mail_in_uidl
-- name: s09_read_mails
-- needs: mail_in_uidl
DELETE FROM {schema}.mail_in_uidl

-- name: s09_popups_left
-- needs: notify
SELECT COUNT(*) FROM {schema}.notify
-- name: s09_popups
-- needs: notify
DELETE FROM {schema}.notify

-- s_shipment.status 3 waiting, 4 started, 6 retry, 7 populating, 9 await populate, 10 populating only; 2 canceled
-- name: s09_mailings_left
-- needs: s_shipment
SELECT COUNT(*) FROM {schema}.s_shipment WHERE status IN (3, 4, 6, 7, 9, 10)
-- name: s09_mailings
-- needs: s_shipment
UPDATE {schema}.s_shipment SET status = 2 WHERE status IN (3, 4, 6, 7, 9, 10)

-- workflow.status 3 running, 2 paused
-- name: s09_flows_left
-- needs: workflow
SELECT COUNT(*) FROM {schema}.workflow WHERE status = 3
-- name: s09_flows
-- needs: workflow
UPDATE {schema}.workflow SET status = 2 WHERE status = 3

-- name: s09_escalations_left
-- needs: ticket.alert_timeout
SELECT COUNT(*) FROM {schema}.ticket WHERE alert_timeout IS NOT NULL
-- name: s09_escalations
-- needs: ticket.alert_timeout
UPDATE {schema}.ticket SET alert_timeout = NULL WHERE alert_timeout IS NOT NULL

-- name: s09_batch_tasks_left
-- needs: BatchTask
SELECT COUNT(*) FROM {schema}.BatchTask
-- name: s09_batch_tasks
-- needs: BatchTask
DELETE FROM {schema}.BatchTask

-- name: s09_integration_schedules_left
-- needs: dbi_agent_schedule
SELECT COUNT(*) FROM {schema}.dbi_agent_schedule WHERE schedule_id > 0
-- name: s09_integration_schedules
-- needs: dbi_agent_schedule
UPDATE {schema}.dbi_agent_schedule SET schedule_id = NULL WHERE schedule_id > 0

-- name: s09_schedule_locks_left
-- needs: schedule
SELECT COUNT(*) FROM {schema}.schedule WHERE lock_expire IS NOT NULL OR COALESCE(lock_pid, 0) <> 0
-- name: s09_schedule_locks
-- needs: schedule
UPDATE {schema}.schedule SET lock_expire = NULL, lock_pid = NULL WHERE lock_expire IS NOT NULL
   OR COALESCE(lock_pid, 0) <> 0

-- name: s09_process_locks_left
-- needs: locking
SELECT COUNT(*) FROM {schema}.locking WHERE lock_expire IS NOT NULL OR COALESCE(lock_pid, 0) <> 0
-- name: s09_process_locks
-- needs: locking
UPDATE {schema}.locking SET lock_expire = NULL, lock_pid = NULL WHERE lock_expire IS NOT NULL
   OR COALESCE(lock_pid, 0) <> 0

-- name: s09_erp_connections_left
-- needs: ErpConnection
SELECT COUNT(*) FROM {schema}.ErpConnection WHERE Active <> 0
-- name: s09_erp_connections
-- needs: ErpConnection
UPDATE {schema}.ErpConnection SET Active = 0 WHERE Active <> 0

-- name: s09_quote_connections_left
-- needs: QuoteConnection
SELECT COUNT(*) FROM {schema}.QuoteConnection WHERE COALESCE(ExtraData, '') <> ''
-- name: s09_quote_connections
-- needs: QuoteConnection
UPDATE {schema}.QuoteConnection SET ExtraData = '' WHERE COALESCE(ExtraData, '') <> ''

-- name: s09_data_sources_left
-- needs: ext_datasource
SELECT COUNT(*) FROM {schema}.ext_datasource
 WHERE COALESCE(hostname, '') <> '' OR COALESCE(username, '') <> '' OR COALESCE(password, '') <> ''
-- name: s09_data_sources
-- needs: ext_datasource
UPDATE {schema}.ext_datasource SET hostname = '', username = '', password = ''
 WHERE COALESCE(hostname, '') <> '' OR COALESCE(username, '') <> '' OR COALESCE(password, '') <> ''

-- name: s09_mailing_servers_left
-- needs: s_shipment
SELECT COUNT(*) FROM {schema}.s_shipment WHERE COALESCE(smtp_serv, :sink_host) <> :sink_host
-- name: s09_mailing_servers
-- needs: s_shipment
UPDATE {schema}.s_shipment SET smtp_serv = :sink_host WHERE COALESCE(smtp_serv, :sink_host) <> :sink_host

-- name: s09_mailing_server_lists_left
-- needs: s_smtp_servers
SELECT COUNT(*) FROM {schema}.s_smtp_servers WHERE COALESCE(smtp_server, :sink_host) <> :sink_host
-- name: s09_mailing_server_lists
-- needs: s_smtp_servers
UPDATE {schema}.s_smtp_servers SET smtp_server = :sink_host WHERE COALESCE(smtp_server, :sink_host) <> :sink_host

-- An empty host may mean the default of the platform: that is no sink either.
-- name: s09_mail_server_left
-- needs: config.smtp_host
SELECT COUNT(*) FROM {schema}.config WHERE COALESCE(smtp_host, '') <> :sink_host
-- name: s09_mail_server
-- needs: config.smtp_host
UPDATE {schema}.config SET smtp_host = :sink_host WHERE COALESCE(smtp_host, '') <> :sink_host

-- name: s09_service_urls_left
-- needs: config
SELECT COUNT(*) FROM {schema}.config
 WHERE COALESCE(cgi_url, '') <> :target_endpoint + '/CS/scripts'
    OR COALESCE(cgi_url_internal, '') <> :target_endpoint + '/CS/scripts'
    OR COALESCE(gfx_url, '') <> :target_endpoint + '/CS/graphics'
-- name: s09_service_urls
-- needs: config
UPDATE {schema}.config
   SET cgi_url = :target_endpoint + '/CS/scripts', cgi_url_internal = :target_endpoint + '/CS/scripts',
                  gfx_url = :target_endpoint + '/CS/graphics'

-- name: s09_service_paths_left
-- needs: config
SELECT COUNT(*) FROM {schema}.config
 WHERE COALESCE(text_path, '') <> :files_root + '/text' OR COALESCE(template_path, '') <> :files_root + '/Template'
    OR COALESCE(attachment_path, '') <> :files_root + '/Attachments'
-- name: s09_service_paths
-- needs: config
UPDATE {schema}.config SET text_path = :files_root + '/text', template_path = :files_root + '/Template',
                  attachment_path = :files_root + '/Attachments'

-- name: s09_installation_id_left
-- needs: config.unique_id
SELECT COUNT(*) FROM {schema}.config WHERE COALESCE(unique_id, '') <> :clone_hex
-- name: s09_installation_id
-- needs: config.unique_id
UPDATE {schema}.config SET unique_id = :clone_hex WHERE COALESCE(unique_id, '') <> :clone_hex

-- name: s09_registry_urls_left
-- needs: registry
SELECT COUNT(*) FROM {schema}.registry
 WHERE LOWER(SUBSTRING(value, 1, LEN(:source_endpoint))) = LOWER(:source_endpoint)
   AND SUBSTRING(value, LEN(:source_endpoint) + 1, 1) IN ('', '/', '?', '#')
-- name: s09_registry_urls
-- needs: registry
UPDATE {schema}.registry SET value = :target_endpoint + SUBSTRING(value, LEN(:source_endpoint) + 1, LEN(value))
 WHERE LOWER(SUBSTRING(value, 1, LEN(:source_endpoint))) = LOWER(:source_endpoint)
   AND SUBSTRING(value, LEN(:source_endpoint) + 1, 1) IN ('', '/', '?', '#')

-- name: s09_attachment_roots_left
-- needs: attachment_location
SELECT COUNT(*) FROM {schema}.attachment_location WHERE COALESCE(path, '') <> :files_root + '/Attachments'
-- name: s09_attachment_roots
-- needs: attachment_location
UPDATE {schema}.attachment_location SET path = :files_root + '/Attachments'
 WHERE COALESCE(path, '') <> :files_root + '/Attachments'

-- name: s09_event_log_left
-- needs: log_events
SELECT COUNT(*) FROM {schema}.log_events
-- name: s09_event_log
-- needs: log_events
DELETE FROM {schema}.log_events

-- name: s09_debug_log_left
-- needs: log_debug
SELECT COUNT(*) FROM {schema}.log_debug
-- name: s09_debug_log
-- needs: log_debug
DELETE FROM {schema}.log_debug

-- name: s09_script_traces_left
-- needs: script_trace_run
SELECT COUNT(*) FROM {schema}.script_trace_run
-- name: s09_script_traces
-- needs: script_trace_run
DELETE FROM {schema}.script_trace_run

-- name: s09_script_debug_left
-- needs: ejscript_debug
SELECT COUNT(*) FROM {schema}.ejscript_debug
-- name: s09_script_debug
-- needs: ejscript_debug
DELETE FROM {schema}.ejscript_debug

-- name: s09_unsaved_texts_left
-- needs: autosave
SELECT COUNT(*) FROM {schema}.autosave
-- name: s09_unsaved_texts
-- needs: autosave
DELETE FROM {schema}.autosave

-- Raised to the next whole million: more than any cache of the source has seen, and a second time changes nothing.
-- name: s09_caches_left
-- needs: CacheInvalidation
SELECT COUNT(*) FROM {schema}.CacheInvalidation WHERE COALESCE(Generation, 1) % 1000000 <> 0
-- name: s09_caches
-- needs: CacheInvalidation
UPDATE {schema}.CacheInvalidation SET Generation = (COALESCE(Generation, 1) / 1000000 + 1) * 1000000
 WHERE COALESCE(Generation, 1) % 1000000 <> 0

-- The index keeps pieces of addresses; the platform builds a new one.
-- name: s09_index_entries_left
-- needs: freetextindex
SELECT COUNT(*) FROM {schema}.freetextindex
-- name: s09_index_entries
-- needs: freetextindex
DELETE FROM {schema}.freetextindex

-- name: s09_index_words_left
-- needs: freetextwords
SELECT COUNT(*) FROM {schema}.freetextwords
-- name: s09_index_words
-- needs: freetextwords
DELETE FROM {schema}.freetextwords

-- name: s09_faq_words_left
-- needs: kb_entry_words
SELECT COUNT(*) FROM {schema}.kb_entry_words
-- name: s09_faq_words
-- needs: kb_entry_words
DELETE FROM {schema}.kb_entry_words

-- name: s09_scratch_words_left
-- needs: temporary_words
SELECT COUNT(*) FROM {schema}.temporary_words
-- name: s09_scratch_words
-- needs: temporary_words
DELETE FROM {schema}.temporary_words

-- name: s09_test_flags_off_left
-- needs: UserPreference
SELECT COUNT(*) FROM {schema}.UserPreference
 WHERE prefsection = 'TestEnvironment'
   AND (deflevel <> 3 OR owner_id <> 0 OR
        COALESCE(prefvalue, '') <> CASE WHEN prefkey = 'IsTestEnvironment' THEN '1' ELSE '0' END)
-- name: s09_test_flags_off
-- needs: UserPreference
DELETE FROM {schema}.UserPreference
 WHERE prefsection = 'TestEnvironment'
   AND (deflevel <> 3 OR owner_id <> 0 OR
        COALESCE(prefvalue, '') <> CASE WHEN prefkey = 'IsTestEnvironment' THEN '1' ELSE '0' END)

-- The master switch on, the seven channels that could leave the sandbox off.
-- name: s09_test_flags_left
-- needs: UserPreference
SELECT 8 - COUNT(DISTINCT prefkey) FROM {schema}.UserPreference
 WHERE prefsection = 'TestEnvironment' AND deflevel = 3 AND owner_id = 0
   AND prefkey IN ('IsTestEnvironment', 'EnablePocketNotifications', 'EnableMailings', 'EnableServiceSendMails',
                   'EnableCRMScriptHttp', 'EnableInbox', 'EnableErpSync', 'EnableQuoteConnector')
-- name: s09_test_flags
-- needs: UserPreference
INSERT INTO {schema}.UserPreference (userpreference_id, deflevel, owner_id, prefsection, prefkey, prefvalue,
                            registered, registered_associate_id, updated, updated_associate_id, updatedCount)
SELECT (SELECT COALESCE(MAX(userpreference_id), 0) FROM {schema}.UserPreference)
       + ROW_NUMBER() OVER (ORDER BY flag.flag_name),
       3, 0, 'TestEnvironment', flag.flag_name, CASE WHEN flag.flag_name = 'IsTestEnvironment' THEN '1' ELSE '0' END,
       :now, 0, :now, 0, 0
  FROM (SELECT 'IsTestEnvironment' AS flag_name UNION ALL SELECT 'EnablePocketNotifications' UNION ALL
        SELECT 'EnableMailings' UNION ALL SELECT 'EnableServiceSendMails' UNION ALL SELECT 'EnableCRMScriptHttp'
        UNION ALL SELECT 'EnableInbox' UNION ALL SELECT 'EnableErpSync'
        UNION ALL SELECT 'EnableQuoteConnector') AS flag
 WHERE NOT EXISTS (SELECT 1 FROM {schema}.UserPreference AS p
                    WHERE p.prefsection = 'TestEnvironment' AND p.deflevel = 3 AND p.owner_id = 0
                      AND p.prefkey = flag.flag_name)

-- Keys: sequence.next_id must lie beyond every key of its table, also when the source was busy while it was copied.
-- name: s09_sequence_tables
-- needs: sequence.TableName
SELECT TableName FROM {schema}.sequence WHERE COALESCE(TableName, '') <> '' ORDER BY TableName

-- name: s09_sequence_lag
SELECT COUNT(*) FROM {schema}.sequence
 WHERE LOWER(TableName) = LOWER(:table) AND COALESCE(next_id, 0) <= (SELECT COALESCE(MAX({key}), 0)
    FROM {schema}.{table})
