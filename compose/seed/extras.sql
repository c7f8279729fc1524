-- SPDX-License-Identifier: Apache-2.0
-- What a customer's database has besides tables. One statement ends with a semicolon at the end of a line.
CREATE INDEX IX_Email_email_address ON Email (email_address);
CREATE INDEX IX_ticket_status ON ticket (status, owned_by);
CREATE INDEX IX_ej_message_ticket ON ej_message (ticket_id);
CREATE UNIQUE INDEX UX_associate_name ON associate (name);
CREATE UNIQUE INDEX UX_mail_block_addr ON mail_block (mail_addr);
CREATE VIEW v_open_requests AS
    SELECT t.id, t.title, p.firstname, p.lastname, e.email_address
      FROM ticket AS t
      JOIN person AS p ON p.person_id = t.cust_id
      LEFT JOIN Email AS e ON e.person_id = p.person_id AND e.type = 0
     WHERE t.status IN (1, 3);
