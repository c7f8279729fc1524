-- SPDX-License-Identifier: Apache-2.0
-- name: s07_login_enabled
SELECT count(*) FROM login WHERE name = :login AND disabled = 0

-- name: s07_create_login
INSERT INTO login (name, sid, secret_hash, disabled) VALUES (:login, :sid, :secret_hash, 0)
    ON CONFLICT (name) DO UPDATE SET disabled = 0
