-- SPDX-License-Identifier: Apache-2.0
-- mail_in_filter.server_type 8 is the mail route kind

-- name: s17_right_mailbox
SELECT count(*) FROM mail_in_filter WHERE server_type = 8 AND address = :address AND coalesce(pop_server, '') = ''

-- name: s17_wrong_mailboxes
SELECT count(*) FROM mail_in_filter
 WHERE coalesce(server_type, 0) <> 8 OR coalesce(address, '') <> :address OR coalesce(pop_server, '') <> ''

-- name: s17_aliases
-- needs: mail_alias
SELECT count(*) FROM mail_alias

-- name: s17_rules
-- needs: ms_filter
SELECT count(*) FROM ms_filter

-- name: s17_rule_links
-- needs: ms_filter_mail
SELECT count(*) FROM ms_filter_mail

-- name: s17_parked_mails
-- needs: ms_trashbin
SELECT count(*) FROM ms_trashbin

-- name: s17_wrong_senders
-- needs: config.default_mail
SELECT count(*) FROM config WHERE coalesce(default_mail, '') <> :address

-- name: s17_drop_parked_mails
-- needs: ms_trashbin
DELETE FROM ms_trashbin

-- name: s17_drop_rule_links
-- needs: ms_filter_mail
DELETE FROM ms_filter_mail

-- name: s17_drop_rules
-- needs: ms_filter
DELETE FROM ms_filter

-- name: s17_drop_aliases
-- needs: mail_alias
DELETE FROM mail_alias

-- name: s17_drop_mailboxes
DELETE FROM mail_in_filter

-- name: s17_add_mailbox
INSERT INTO mail_in_filter (id, server_type, pop_server, pop_user, pop_password, domain, address, reply_template_id,
                            checkwait, status, mailgun_dsn)
VALUES (:key, 8, '', '', '', '', :address, -1, 1, 0, 0)

-- name: s17_default_category
-- needs: ej_category
UPDATE mail_in_filter SET category_id = (SELECT min(id) FROM ej_category) WHERE id = :key

-- name: s17_default_language
-- needs: cust_lang
UPDATE mail_in_filter SET language_id = (SELECT min(id) FROM cust_lang) WHERE id = :key

-- name: s17_default_sender
-- needs: config.default_mail
UPDATE config SET default_mail = :address
