-- SPDX-License-Identifier: Apache-2.0
-- A made-up customer of 29 tables, 50 indexes and 32 foreign keys. With k = 1 about 2.1 GB, of which 5.37 million rows hold
-- at least one raw address, in 18 columns; four of them are free text. The same seed and k give the same rows.
--   psql -v k=0.1 -v seed=1 -f customer.sql
-- Every raw address is at a host "rawhost<number>...": nothing else holds the characters "@rawhost".
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET client_min_messages = warning;
SELECT greatest(20, (300000 * :k)::bigint) AS contacts, greatest(20, (600000 * :k)::bigint) AS persons,
	greatest(20, (1500000 * :k)::bigint) AS emails, greatest(20, (600000 * :k)::bigint) AS texts,
	greatest(20, (900000 * :k)::bigint) AS messages, greatest(20, (380000 * :k)::bigint) AS tickets,
	greatest(20, (350000 * :k)::bigint) AS logins, greatest(20, (700000 * :k)::bigint) AS shipments,
	greatest(20, (150000 * :k)::bigint) AS bounces, greatest(20, (300000 * :k)::bigint) AS invitations,
	greatest(20, (200000 * :k)::bigint) AS extras, greatest(20, (194000 * :k)::bigint) AS audits,
	greatest(20, (60000 * :k)::bigint) AS chats, greatest(20, (5000 * :k)::bigint) AS users,
	greatest(20, (25000 * :k)::bigint) AS outgoing, greatest(20, (1000 * :k)::bigint) AS mailboxes,
	greatest(20, (300000 * :k)::bigint) AS addresses, greatest(20, (400000 * :k)::bigint) AS phones,
	greatest(20, (100000 * :k)::bigint) AS sales, greatest(20, (400000 * :k)::bigint) AS appointments,
	greatest(20, (200000 * :k)::bigint) AS documents, greatest(20, (10000 * :k)::bigint) AS projects \gset

-- ---- what the rows are made of: a number, and what it is wanted for, give always the same ----
CREATE SCHEMA make;
CREATE FUNCTION make.h(n bigint, salt bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
	'SELECT hashint8extended(n, salt) & 9223372036854775807';
CREATE FUNCTION make.first(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$SELECT ('{Anna,Bjørn,Carla,Dmitri,Eve,Frode,Gro,Håkon,Ingrid,Jan,Kari,Lars,Mona,Nils,Ole,Pia}'::text[])[1 + n % 16]$$;
CREATE FUNCTION make.last(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$SELECT ('{Berg,Dahl,Eide,Foss,Haug,Lie,Moen,Ness,Olsen,Park,Quist,Rud,Strand,Tveit,Vik,Wold}'::text[])[1 + n % 16]
	 || to_hex(n % 65521)$$;
-- An address of the person number n.
CREATE FUNCTION make.mail(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$SELECT ('{anna,bjorn,carla,dmitri,eve,frode,gro,hakon,ingrid,jan,kari,lars,mona,nils,ole,pia}'::text[])[1 + n % 16] || '.'
	 || ('{berg,dahl,eide,foss,haug,lie,moen,ness}'::text[])[1 + n / 16 % 8] || n % 1000003 || '@rawhost' || n % 4999 || '.example.'
	 || ('{com,net,org}'::text[])[1 + n % 3]$$;
CREATE TABLE make.words AS SELECT string_agg(('{the,customer,wants,to,know,when,our,delivery,of,parts,will,arrive,at,its,branch,in,
	Oslo,and,whether,prices,have,changed,since,spring,please,call,back,before,Friday,"thank you.","see below;",contract}'::text[])
	[1 + make.h(i, :seed) % 32], ' ') AS w FROM generate_series(1, 700) AS i;
-- Some text of about that length.
SELECT format('CREATE FUNCTION make.text(n bigint, length bigint) RETURNS text LANGUAGE sql IMMUTABLE AS %L',
	format('SELECT substr(%L, 1 + (n %% 1700)::int, length::int)', w)) FROM make.words \gexec
CREATE FUNCTION make.day(n bigint) RETURNS timestamp LANGUAGE sql IMMUTABLE AS
	$$SELECT timestamp '2015-01-01' + (n % 350000000) * interval '1 second'$$;

-- ---- lists ----
CREATE TABLE country (country_id int PRIMARY KEY, name varchar(80) NOT NULL, iso char(2) NOT NULL);
INSERT INTO country SELECT i, 'Country ' || i, upper(substr(to_hex(i + 4000), 1, 2)) FROM generate_series(1, 200) AS i;
CREATE TABLE category (category_id int PRIMARY KEY, name varchar(80) NOT NULL, rank int NOT NULL);
INSERT INTO category SELECT i, 'Category ' || i, i FROM generate_series(1, 50) AS i;
CREATE TABLE business (business_id int PRIMARY KEY, name varchar(80) NOT NULL, rank int NOT NULL);
INSERT INTO business SELECT i, 'Business ' || i, i FROM generate_series(1, 50) AS i;
CREATE TABLE status (status_id int PRIMARY KEY, name varchar(80) NOT NULL);
INSERT INTO status SELECT i, 'Status ' || i FROM generate_series(1, 20) AS i;
CREATE TABLE priority (priority_id int PRIMARY KEY, name varchar(80) NOT NULL);
INSERT INTO priority SELECT i, 'Priority ' || i FROM generate_series(1, 10) AS i;

-- ---- people ----
CREATE TABLE associate (associate_id int PRIMARY KEY, login varchar(254) NOT NULL, name varchar(80), registered timestamp);
INSERT INTO associate SELECT i, make.mail(make.h(i, :seed)), make.first(i), make.day(make.h(i, 2)) FROM generate_series(1, :users) AS i;
CREATE TABLE credential (credential_id int PRIMARY KEY, associate_id int NOT NULL, display_name varchar(254), type int NOT NULL);
INSERT INTO credential SELECT i, i, make.mail(make.h(i, :seed)), 1 + i % 3 FROM generate_series(1, :users) AS i;
CREATE TABLE contact (contact_id int PRIMARY KEY, name varchar(220) NOT NULL, department varchar(220), org_nr varchar(50),
	country_id int NOT NULL, category_id int NOT NULL, business_id int NOT NULL, associate_id int NOT NULL,
	registered timestamp NOT NULL, updated timestamp, updated_count int NOT NULL);
INSERT INTO contact SELECT i, make.last(make.h(i, 1)) || ' & ' || make.last(make.h(i, 2)) || ' AS', make.first(i), make.h(i, 3) % 1000000000,
	1 + make.h(i, 4) % 200, 1 + make.h(i, 5) % 50, 1 + make.h(i, 6) % 50, 1 + make.h(i, 7) % :users, make.day(make.h(i, 8)),
	make.day(make.h(i, 9)), i % 40 FROM generate_series(1, :contacts) AS i;
CREATE TABLE person (person_id int PRIMARY KEY, contact_id int NOT NULL, firstname varchar(100), lastname varchar(100),
	title varchar(100), year_of_birth smallint, associate_id int NOT NULL, registered timestamp NOT NULL, rank int NOT NULL);
INSERT INTO person SELECT i, 1 + make.h(i, 1) % :contacts, make.first(make.h(i, 2)), make.last(make.h(i, 3)),
	CASE WHEN i % 3 = 0 THEN 'Manager' END, 1950 + i % 50, 1 + make.h(i, 4) % :users, make.day(make.h(i, 5)), i % 9
	FROM generate_series(1, :persons) AS i;
CREATE TABLE email (email_id int PRIMARY KEY, person_id int NOT NULL, contact_id int NOT NULL, email_address varchar(254) NOT NULL,
	protocol varchar(20), rank smallint NOT NULL, registered timestamp);
INSERT INTO email SELECT i, 1 + make.h(i, 1) % :persons, 1 + make.h(i, 2) % :contacts, make.mail(make.h(i, :seed)), 'SMTP', i % 5,
	make.day(make.h(i, 3)) FROM generate_series(1, :emails) AS i;
CREATE TABLE address (address_id int PRIMARY KEY, contact_id int NOT NULL, street varchar(200), zip varchar(20), city varchar(100),
	country_id int NOT NULL, latitude double precision, longitude double precision);
INSERT INTO address SELECT i, 1 + make.h(i, 1) % :contacts, make.last(make.h(i, 2)) || ' gate ' || i % 200, make.h(i, 3) % 10000,
	make.last(make.h(i, 4) % 300), 1 + make.h(i, 5) % 200, make.h(i, 6) % 90 + 0.125, make.h(i, 7) % 90 + 0.375
	FROM generate_series(1, :addresses) AS i;
CREATE TABLE phone (phone_id int PRIMARY KEY, person_id int NOT NULL, number varchar(60) NOT NULL, type smallint NOT NULL);
INSERT INTO phone SELECT i, 1 + make.h(i, 1) % :persons, '+47 ' || make.h(i, 2) % 100000000, i % 4 FROM generate_series(1, :phones) AS i;
CREATE TABLE text (text_id int PRIMARY KEY, owner_id int NOT NULL, type smallint NOT NULL, text text, registered timestamp);
INSERT INTO text SELECT i, 1 + make.h(i, 1) % :contacts, i % 7, make.text(make.h(i, 2), 60 + make.h(i, 3) % 240) || E'\nmail ' ||
	make.mail(make.h(i, :seed)) || '. ' || make.text(make.h(i, 4), 40), make.day(make.h(i, 5)) FROM generate_series(1, :texts) AS i;

-- ---- work ----
CREATE TABLE project (project_id int PRIMARY KEY, name varchar(220), associate_id int NOT NULL, status_id int NOT NULL);
INSERT INTO project SELECT i, 'Project ' || make.last(make.h(i, 1)), 1 + make.h(i, 2) % :users, 1 + i % 20 FROM generate_series(1, :projects) AS i;
CREATE TABLE sale (sale_id int PRIMARY KEY, contact_id int NOT NULL, project_id int NOT NULL, heading varchar(220), amount numeric(14,2),
	status_id int NOT NULL, day timestamp);
INSERT INTO sale SELECT i, 1 + make.h(i, 1) % :contacts, 1 + make.h(i, 2) % :projects, make.text(make.h(i, 3), 30), make.h(i, 4) % 1000000 / 7.0,
	1 + i % 20, make.day(make.h(i, 5)) FROM generate_series(1, :sales) AS i;
CREATE TABLE appointment (appointment_id int PRIMARY KEY, associate_id int NOT NULL, contact_id int NOT NULL, person_id int NOT NULL,
	starts timestamp NOT NULL, ends timestamp, all_day boolean NOT NULL, type int NOT NULL, recurrence int, colour int, flags bigint);
INSERT INTO appointment SELECT i, 1 + make.h(i, 1) % :users, 1 + make.h(i, 2) % :contacts, 1 + make.h(i, 3) % :persons, make.day(make.h(i, 4)),
	make.day(make.h(i, 4) + 3600), i % 9 = 0, i % 6, NULL, i % 12, make.h(i, 5) FROM generate_series(1, :appointments) AS i;
CREATE TABLE relation (relation_id int PRIMARY KEY, from_id int NOT NULL, to_id int NOT NULL, kind smallint NOT NULL, since timestamp);
INSERT INTO relation SELECT i, 1 + make.h(i, 1) % :contacts, 1 + make.h(i, 2) % :persons, i % 8, make.day(make.h(i, 3))
	FROM generate_series(1, :appointments) AS i;
CREATE TABLE document (document_id int PRIMARY KEY, contact_id int NOT NULL, associate_id int NOT NULL, name varchar(254),
	bytes bigint, key uuid, checksum bytea, registered timestamp);
INSERT INTO document SELECT i, 1 + make.h(i, 1) % :contacts, 1 + make.h(i, 2) % :users, make.text(make.h(i, 3), 20) || '.docx',
	make.h(i, 4) % 9000000, md5(i::text)::uuid, decode(md5((i + 1)::text), 'hex'), make.day(make.h(i, 5)) FROM generate_series(1, :documents) AS i;
CREATE TABLE invitation (invitation_id int PRIMARY KEY, appointment_id int NOT NULL, email varchar(254), answer smallint);
INSERT INTO invitation SELECT i, 1 + make.h(i, 1) % :appointments, make.mail(make.h(i, :seed)), i % 3 FROM generate_series(1, :invitations) AS i;
CREATE TABLE extra_data (extra_data_id int PRIMARY KEY, contact_id int NOT NULL, data text NOT NULL);
INSERT INTO extra_data SELECT i, 1 + make.h(i, 1) % :contacts, json_build_object('name', make.last(make.h(i, 2)), 'mail', make.mail(make.h(i, :seed)),
	'note', make.text(make.h(i, 3), 120), 'n', i % 100)::text FROM generate_series(1, :extras) AS i;
CREATE TABLE audit (audit_id bigint PRIMARY KEY, associate_id int NOT NULL, at timestamp NOT NULL, changes text);
INSERT INTO audit SELECT i, 1 + make.h(i, 1) % :users, make.day(make.h(i, 2)), 'email_address: <' || make.mail(make.h(i, :seed)) ||
	E'>\tfrom ' || make.text(make.h(i, 3), 80) FROM generate_series(1, :audits) AS i;

-- ---- requests and mail ----
CREATE TABLE customer_login (login_id int PRIMARY KEY, person_id int NOT NULL, email varchar(254) NOT NULL, hash bytea, last_seen timestamp);
INSERT INTO customer_login SELECT i, 1 + make.h(i, 1) % :persons, make.mail(make.h(i, :seed)), decode(md5(i::text), 'hex'),
	make.day(make.h(i, 2)) FROM generate_series(1, :logins) AS i;
CREATE TABLE ticket (ticket_id int PRIMARY KEY, title varchar(254), author_email varchar(254), cc text, person_id int NOT NULL,
	associate_id int NOT NULL, status_id int NOT NULL, priority_id int NOT NULL, created timestamp NOT NULL, closed timestamp);
INSERT INTO ticket SELECT i, make.text(make.h(i, 1), 50), make.mail(make.h(i, :seed)), CASE WHEN i % 2 = 0 THEN make.mail(make.h(i, 99)) END,
	1 + make.h(i, 2) % :persons, 1 + make.h(i, 3) % :users, 1 + i % 20, 1 + i % 10, make.day(make.h(i, 4)), make.day(make.h(i, 5))
	FROM generate_series(1, :tickets) AS i;
CREATE TABLE ej_message (message_id int PRIMARY KEY, ticket_id int NOT NULL, from_email varchar(254), to_email varchar(254), body text,
	created timestamp NOT NULL, size int);
INSERT INTO ej_message SELECT i, 1 + make.h(i, 1) % :tickets, make.mail(make.h(i, :seed)), make.mail(make.h(i, 98)), make.text(make.h(i, 2), 140 +
	make.h(i, 3) % 340) || E'\n\n> ' || make.mail(make.h(i, 97)) || E' wrote:\n> ' || make.text(make.h(i, 4), 60 + make.h(i, 5) % 200) || E'\n-- \n' ||
	make.first(i), make.day(make.h(i, 6)), make.h(i, 7) % 20000 FROM generate_series(1, :messages) AS i;
CREATE TABLE s_shipment_addr (shipment_addr_id int PRIMARY KEY, shipment_id int NOT NULL, person_id int NOT NULL, email varchar(254), sent timestamp);
INSERT INTO s_shipment_addr SELECT i, i % 900, 1 + make.h(i, 1) % :persons, make.mail(make.h(i, :seed)), make.day(make.h(i, 2))
	FROM generate_series(1, :shipments) AS i;
CREATE TABLE s_bounce (bounce_id int PRIMARY KEY, shipment_addr_id int NOT NULL, address varchar(254), code int);
INSERT INTO s_bounce SELECT i, 1 + make.h(i, 1) % :shipments, make.mail(make.h(i, :seed)), 550 + i % 4 FROM generate_series(1, :bounces) AS i;
CREATE TABLE chat_session (chat_session_id int PRIMARY KEY, ticket_id int NOT NULL, customer_email varchar(254), started timestamp);
INSERT INTO chat_session SELECT i, 1 + make.h(i, 1) % :tickets, make.mail(make.h(i, :seed)), make.day(make.h(i, 2)) FROM generate_series(1, :chats) AS i;
CREATE TABLE mailbox (mailbox_id int PRIMARY KEY, address varchar(254) NOT NULL, priority_id int NOT NULL);
INSERT INTO mailbox SELECT i, make.mail(make.h(i, :seed)), 1 + i % 10 FROM generate_series(1, :mailboxes) AS i;
CREATE TABLE outbox (outbox_id int PRIMARY KEY, mailbox_id int NOT NULL, from_email varchar(254), queued timestamp);
INSERT INTO outbox SELECT i, 1 + make.h(i, 1) % :mailboxes, make.mail(make.h(i, :seed)), make.day(make.h(i, 2)) FROM generate_series(1, :outgoing) AS i;
DROP SCHEMA make CASCADE;

-- ---- 21 indexes beside the 29 of the primary keys ----
CREATE INDEX associate_login ON associate (login);
CREATE INDEX contact_name ON contact (name, department);
CREATE INDEX contact_associate ON contact (associate_id);
CREATE INDEX person_name ON person (lastname, firstname);
CREATE INDEX person_contact ON person (contact_id);
CREATE INDEX email_email_address ON email (email_address);
CREATE INDEX email_person ON email (person_id);
CREATE INDEX address_contact ON address (contact_id);
CREATE INDEX phone_person ON phone (person_id);
CREATE INDEX phone_number ON phone (number);
CREATE INDEX text_owner ON text (owner_id, type);
CREATE INDEX sale_contact ON sale (contact_id);
CREATE INDEX appointment_associate ON appointment (associate_id, starts);
CREATE INDEX appointment_contact ON appointment (contact_id);
CREATE INDEX document_contact ON document (contact_id);
CREATE INDEX customer_login_email ON customer_login (email);
CREATE INDEX ticket_person ON ticket (person_id);
CREATE INDEX ticket_author ON ticket (author_email);
CREATE INDEX ej_message_ticket ON ej_message (ticket_id);
CREATE INDEX s_shipment_addr_email ON s_shipment_addr (email);
CREATE INDEX invitation_appointment ON invitation (appointment_id);

-- ---- 32 foreign keys ----
SELECT format('ALTER TABLE %I ADD FOREIGN KEY (%I) REFERENCES %I', t, c, r) FROM (VALUES
	('credential', 'associate_id', 'associate'), ('contact', 'country_id', 'country'), ('contact', 'category_id', 'category'),
	('contact', 'business_id', 'business'), ('contact', 'associate_id', 'associate'), ('person', 'contact_id', 'contact'),
	('person', 'associate_id', 'associate'), ('email', 'person_id', 'person'), ('email', 'contact_id', 'contact'),
	('address', 'contact_id', 'contact'), ('address', 'country_id', 'country'), ('phone', 'person_id', 'person'),
	('project', 'associate_id', 'associate'), ('project', 'status_id', 'status'), ('sale', 'contact_id', 'contact'),
	('sale', 'project_id', 'project'), ('sale', 'status_id', 'status'), ('appointment', 'associate_id', 'associate'),
	('appointment', 'contact_id', 'contact'), ('document', 'contact_id', 'contact'), ('document', 'associate_id', 'associate'),
	('invitation', 'appointment_id', 'appointment'), ('extra_data', 'contact_id', 'contact'), ('audit', 'associate_id', 'associate'),
	('customer_login', 'person_id', 'person'), ('ticket', 'person_id', 'person'), ('ticket', 'status_id', 'status'),
	('ticket', 'priority_id', 'priority'), ('ej_message', 'ticket_id', 'ticket'), ('s_bounce', 'shipment_addr_id', 's_shipment_addr'),
	('chat_session', 'ticket_id', 'ticket'), ('outbox', 'mailbox_id', 'mailbox')) AS k(t, c, r) \gexec
VACUUM ANALYZE;
