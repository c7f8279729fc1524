#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The source customer of compose/up --real and compose.yaml: made by sandbox-seed, moved into PostgreSQL and Azurite.
#
#   real_customer.sh FOLDER ARCHIVE FACTOR SIZE
#
# FOLDER keeps what was made (and the world of the outside systems, world.json), ARCHIVE is the share. FACTOR 1 is about
# 20,000 rows and 400 documents; messages are added until the database has SIZE bytes (0: as it is). PGHOST, PGPORT and
# PGUSER name the server and its administrator, BLOBS_URL the container, BLOBS_ACCOUNT and BLOBS_KEY_FILE its account and
# key, SEED the seed program.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/blobs.sh"
[ $# -eq 4 ] || {
	echo 'usage: real_customer.sh FOLDER ARCHIVE FACTOR SIZE' >&2
	exit 2
}
folder=$1 archive=$2 factor=$3 size=$4
source_tenant=Cust70000
blobs_url=$BLOBS_URL
blobs_sas=$(make_sas "$BLOBS_ACCOUNT" "$BLOBS_KEY_FILE")

ask() { # DATABASE
	psql -X -q -v ON_ERROR_STOP=1 -d "$1"
}

make_database() {
	ask postgres <<< "CREATE DATABASE \"$source_tenant\""
	"$here/to_postgres.sh" "$folder/$source_tenant.sqlite" "$source_tenant"
	ask "$source_tenant" <<SQL
REVOKE CONNECT ON DATABASE "$source_tenant" FROM PUBLIC;
GRANT CONNECT ON DATABASE "$source_tenant" TO sandbox_reader;
GRANT USAGE ON SCHEMA public TO sandbox_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO sandbox_reader;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO sandbox_reader;
SQL
}

# The messages once more under other numbers, as often as is missing to the size.
grow() {
	psql -X -q -v ON_ERROR_STOP=1 -v size="$size" -d "$source_tenant" <<'SQL'
SELECT greatest(0, (:size - pg_database_size(current_database())) / (pg_total_relation_size('ej_message') / count(*) + 1)) AS rows,
	count(*) AS have, max(id) AS last FROM ej_message \gset
SELECT format('INSERT INTO ej_message (%s) SELECT %s FROM ej_message AS m, generate_series(1, %s) AS k LIMIT %s',
	string_agg(quote_ident(column_name), ', '),
	string_agg(CASE column_name WHEN 'id' THEN 'm.id + k * ' || :last ELSE 'm.' || quote_ident(column_name) END, ', '),
	:rows / :have + 1, :rows)
	FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'ej_message' \gexec
SQL
}

mkdir -p "$folder/blobs"
made=$("${SEED:-sandbox-seed}" --folder "$folder" --objects "$folder/blobs" --archive "$archive" \
	--stubs-seed "$folder/world.json" --factor "$factor")
make_database
[ "$size" -eq 0 ] || grow
ask "$source_tenant" <<< 'ANALYZE'
make_container
put_folder "$folder/blobs" "$source_tenant"
rm -f "$folder/$source_tenant.sqlite"
size=$(psql -XAt -d "$source_tenant" -c 'SELECT pg_size_pretty(pg_database_size(current_database()))')
printf '%s, %s in PostgreSQL\n' "$made" "$size"
