# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# What an operator really runs, as plain processes: Apache Kafka, a schema registry, PostgreSQL, Azurite. The same functions as
# embedded.sh.

. "$root/compose/lib/blobs.sh"

packages=(build run real)
processes=(kafka registry postgres azurite redis partner stubs consumer notifier tenant)
container=tenants

# ---- starting ----

# These servers come with scripts of their own, which tests use too; here they are known by their ids like all others.
adopt_process() { # NAME
	local pid
	pid=$(cat "$folder/$1/pid")
	printf '%s %s\n' "$pid" "$(start_time_of "$pid")" > "$folder/run/$1"
}

# 77 is what those scripts say when what they need cannot be had.
start_server() { # NAME SCRIPT [CODE-THAT-WILL-DO]
	local code=0
	"$root/compose/lib/$2" start "$folder/$1" > "$folder/log/$1.log" 2>&1 || code=$?
	[ "$code" -eq 0 ] || [ "$code" -eq "${3:-0}" ] || {
		show_end_of "$folder/log/$1.log"
		die "$1 did not start"
	}
	[ "$code" -ne 0 ] || adopt_process "$1"
}

start_kafka() {
	KAFKA_REAL_PORT=$(port_of kafka 29092) BUILD_DIR=$build start_server kafka kafka_real.sh
	say "  kafka     $(cat "$folder/kafka/bootstrap")  Apache Kafka, one node, topics by sandboxctl topics apply"
}

# All the rest works without one. But the ids of an earlier start are in the topics, so then it is needed.
start_registry() {
	local will_do=77
	[ ! -s "$folder/registry/url" ] || will_do=0
	rm -f "$folder/run/registry.none"
	APICURIO_PORT=$(port_of registry 28081) BUILD_DIR=$build start_server registry apicurio.sh "$will_do"
	if has_registry; then
		mkdir -p "$folder/schemas"
		say "  registry  $(cat "$folder/registry/url")  Apicurio, compatibility enforced"
	else
		touch "$folder/run/registry.none"
		say "  registry  none: $(tail -n 1 "$folder/log/registry.log"); the programs use the schemas they were built with"
	fi
}

has_registry() {
	is_running registry
}

start_azurite() {
	make_secret azurite.key
	AZURITE_PORT=$(port_of azurite 29010) AZURITE_ACCOUNTS="sandbox:$(cat "$folder/secret/azurite.key")" BUILD_DIR=$build \
		start_server azurite azurite.sh
	say "  azurite   $(cat "$folder/azurite/url")/$container"
}

# ---- PostgreSQL, which refuses to run as root ----

postgres_programs() {
	find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1
}

# The user that it runs as; nobody else gets into its folder.
as_postgres=()
[ "$(id -u)" -ne 0 ] || as_postgres=(setpriv --reuid postgres --regid postgres --clear-groups)

prepare_postgres() {
	mkdir -p "$folder/postgres"
	chmod 700 "$folder/postgres"
	if [ "$(id -u)" -eq 0 ]; then
		chown postgres: "$folder/postgres"
		chmod o+x "$folder"
		"${as_postgres[@]}" test -x "$folder" || die "the user postgres cannot reach $folder; name another folder: --folder DIR"
	fi
	[ -s "$folder/postgres/data/PG_VERSION" ] && return
	(cd / && "${as_postgres[@]}" "$(postgres_programs)/initdb" -D "$folder/postgres/data" -U postgres -A trust -E UTF8 --locale=C \
		--no-sync) > "$folder/log/initdb.log" 2>&1 || {
		show_end_of "$folder/log/initdb.log"
		die "the data folder of PostgreSQL could not be made"
	}
	# By its socket only who may enter its folder: the administrator. Everybody else gives a password.
	printf 'local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n' > "$folder/postgres/data/pg_hba.conf"
}

use_stores() {
	export PGHOST=$folder/postgres PGUSER=postgres
	PGPORT=$(cat "$folder/postgres.port")
	export PGPORT
}

start_postgres() {
	local is_new=no
	prepare_postgres
	[ -s "$folder/secret/sql-cloner" ] || is_new=yes
	[ -s "$folder/postgres.port" ] || port_of postgres 25432 > "$folder/postgres.port"
	use_stores
	start_process postgres "${as_postgres[@]}" "$(postgres_programs)/postgres" -D "$folder/postgres/data" -p "$PGPORT" \
		-h 127.0.0.1 -k "$folder/postgres" -c log_min_messages=warning -c max_wal_size=4GB
	wait_for postgres 60 "$(postgres_programs)/pg_isready" -q
	if [ "$is_new" = yes ]; then
		make_sql_passwords
		SECRETS=$folder/secret "$root/compose/postgres/roles.sh"
	fi
	say "  postgres  127.0.0.1:$PGPORT  $(psql -XAt -d postgres -c 'SHOW server_version'), as an unprivileged process"
}

start_stores() {
	start_kafka
	start_registry
	start_postgres
	start_azurite
}

make_customer() {
	(umask 077 && make_sas sandbox "$folder/secret/azurite.key" > "$folder/secret/blobs.sas")
	SEED=$(program sandbox-seed) BLOBS_URL=$(cat "$folder/azurite/url")/$container BLOBS_ACCOUNT=sandbox \
		BLOBS_KEY_FILE=$folder/secret/azurite.key \
		"$root/compose/lib/real_customer.sh" "$folder/customer" "$folder/archive" "$factor" "$size" > "$folder/log/seed.log" 2>&1 ||
		return 1
	ln -s customer/world.json "$folder/world.json"
}

stores_configuration() {
	cat <<-CONF
		[kafka]
		bootstrap.servers = $(cat "$folder/kafka/bootstrap")
		session.timeout.ms = 6000
	CONF
	if has_registry; then
		cat <<-CONF
			[registry]
			url = $(cat "$folder/registry/url")
			auto_register = true
			cache_dir = $folder/schemas
		CONF
	fi
	cat <<-CONF
		[sql]
		dialect = postgresql
		port = $PGPORT
		user = sandbox_cloner
		password_file = $folder/secret/sql-cloner
		source_user = sandbox_reader
		source_password_file = $folder/secret/sql-reader
		[query]
		principal = customer_query
		[tenant]
		dialect = postgresql
		port = $PGPORT
		password_file = $folder/secret/sql-tenant
		[objects]
		kind = azure
		url = $(cat "$folder/azurite/url")/$container
		sas_file = $folder/secret/blobs.sas
		[files]
		archive_root = $folder/archive
	CONF
}

# ---- looking without our programs: $1 is a database's name ----

database_tools='psql, pg_dump, grep, curl, diff, jq'

ask_database() { # DATABASE SQL
	psql -XAt -d "$1" -c "$2"
}

dump_database() {
	pg_dump --data-only --exclude-table='sandbox_*' "$1"
}

# Every file that the server keeps of it, whoever's rows were in them.
bytes_of_database() {
	local number
	psql -X -q -d postgres -c CHECKPOINT
	number=$(psql -XAt -d postgres -c "SELECT oid FROM pg_database WHERE datname = '$1'")
	find "$folder/postgres/data/base/$number" -type f -exec cat {} +
}

# pg_dump writes a number made by chance at its begin and end.
fingerprint() {
	pg_dump "$1" | grep -avE '^\\(un)?restrict ' | sha256sum | cut -c 1-12
}

# An index that is not valid, a rule that was not checked.
faults_of_database() {
	ask_database "$1" "SELECT CASE count(*) WHEN 0 THEN 'ok' ELSE count(*) || ' indexes or rules' END FROM
		(SELECT 1 FROM pg_index WHERE NOT indisvalid UNION ALL SELECT 1 FROM pg_constraint WHERE NOT convalidated) AS f"
}

count_databases() { # TENANT
	psql -XAt -d postgres -c "SELECT count(*) FROM pg_database WHERE datname LIKE '$1%'"
}

fetch_blobs() { # ROOT
	blobs_url=$(cat "$folder/azurite/url")/$container
	blobs_sas=$(cat "$folder/secret/blobs.sas")
	get_folder "$1" "$folder/look"
	printf '%s/look/%s\n' "$folder" "$1"
}

# Where Confluent's Python client is; false when it cannot be had.
find_client() {
	"$root/compose/lib/kafka_python.sh"
}

# All that is told, one JSON object for each record, as it is read by who knows nothing but the broker and the registry.
read_as_partner() { # CLIENT
	PYTHONPATH=$1 python3 "$root/compose/lib/kafka_client.py" read "$(cat "$folder/kafka/bootstrap")" "$(registry_url)"
}

registry_url() {
	! has_registry || cat "$folder/registry/url"
}

how_to_look() { # DATABASE SQL
	printf "psql -h %s -p %s -U postgres -d %s -c '%s'\n" "$PGHOST" "$PGPORT" "$1" "$2"
}
