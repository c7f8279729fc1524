#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The roles that docs/databases.md asks for and the database of sandbox-tenant, on the server of PGHOST, PGPORT, PGUSER (in a
# container, of POSTGRES_USER). Their passwords are in files of the folder $SECRETS. None of them is a superuser.
set -euo pipefail
export SECRETS=${SECRETS:-/run/secrets}
psql -X -q -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-${PGUSER:-postgres}}" -d postgres <<'SQL'
\set cloner `cat "$SECRETS/sql-cloner"`
\set reader `cat "$SECRETS/sql-reader"`
\set tenant `cat "$SECRETS/sql-tenant"`
\set query `cat "$SECRETS/sql-query"`
CREATE ROLE sandbox_cloner LOGIN PASSWORD :'cloner' CREATEDB CREATEROLE;
GRANT pg_signal_backend TO sandbox_cloner;
CREATE ROLE sandbox_reader LOGIN PASSWORD :'reader';
CREATE ROLE customer_query LOGIN PASSWORD :'query';
CREATE ROLE sandbox LOGIN PASSWORD :'tenant';
CREATE DATABASE tenants OWNER sandbox;
SQL
