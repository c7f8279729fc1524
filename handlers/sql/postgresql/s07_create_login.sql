-- SPDX-License-Identifier: Apache-2.0
-- A login is a role of the server; its security id is the server's own number.

-- name: s07_login_enabled
SELECT count(*) FROM pg_roles WHERE rolname = :login AND rolcanlogin

-- name: s07_create_login
SELECT sandbox_put_login(:login, :secret_hash)
