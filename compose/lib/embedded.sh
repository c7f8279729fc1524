# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# The embedded set: librdkafka's mock cluster, SQLite files and folders. Sourced by compose/up and compose/demo, which
# call the same functions of real.sh instead with --real.

packages=(build run)
# In the order of starting; stopping goes backwards, so that the consumer still reaches what it needs to drain.
processes=(broker redis partner stubs consumer notifier tenant)

start_stores() {
	mkdir -p "$folder"/{databases,blobs}
	rm -f "$folder/broker.address"
	start_process broker "$(program sandbox-broker)" --address-file "$folder/broker.address" --partitions 4
	wait_for broker 10 test -s "$folder/broker.address"
	say "  broker    $(cat "$folder/broker.address")  librdkafka's mock cluster: in memory, lost when it stops"
}

# Names are taken from the tenants of compose/seed/stubs.json.
make_customer() {
	"$(program sandbox-seed)" --folder "$folder/databases" --objects "$folder/blobs" --archive "$folder/archive" \
		--stubs-seed "$folder/world.json" --factor "$factor" > "$folder/log/seed.log" 2>&1
}

stores_configuration() {
	cat <<-CONF
		[kafka]
		bootstrap.servers = $(cat "$folder/broker.address")
		session.timeout.ms = 6000
		fetch.wait.max.ms = 10
		[topics]
		create = true
		[sql]
		dialect = sqlite
		folder = $folder/databases
		[files]
		objects_root = $folder/blobs
		archive_root = $folder/archive
	CONF
}

# ---- looking without our programs: $1 is a database's name ----

use_stores() {
	:
}

database_tools='sqlite3, grep, diff, jq'

database_file() {
	printf '%s/databases/%s.sqlite' "$folder" "$1"
}

ask_database() { # DATABASE SQL
	sqlite3 "file:$(database_file "$1")?mode=ro" "$2"
}

dump_database() {
	sqlite3 "file:$(database_file "$1")?mode=ro" .dump
}

# Rows, free pages, the log beside it, everything.
bytes_of_database() {
	find "$folder/databases" -name "$1.sqlite*" -exec cat {} +
}

fingerprint() {
	sha256sum < "$(database_file "$1")" | cut -c 1-12
}

faults_of_database() {
	ask_database "$1" 'PRAGMA integrity_check'
}

# Databases of a tenant, generations that were taken out of service too.
count_databases() { # TENANT
	find "$folder/databases" -name "$1*.sqlite" | wc -l
}

# Where the blobs of a tenant can be looked at as files.
fetch_blobs() { # ROOT
	printf '%s/blobs/%s\n' "$folder" "$1"
}

registry_url() {
	:
}

how_to_look() { # DATABASE SQL
	printf "sqlite3 %s '%s'\n" "$(database_file "$1")" "$2"
}
