#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copies of a PostgreSQL customer, ours beside what others would use, in one run on one private server: a masked copy and
# its proof by the product's own steps 08 and 13 (bench_postgres), what they cost unmasked, and the same by pg_dump and
# pg_restore, pgcopydb, a pipe with a filter, and updates. What is measured is printed, and judged by nobody.
#
#   postgres.sh BENCHES FACTOR ROUNDS [updates]
#
# BENCHES is the folder of the built programs. FACTOR 1 is 2.1 GB; `updates` adds the way that takes minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/compose/lib/common.sh"
. "$root/compose/lib/server.sh"
[ $# -ge 3 ] || die "usage: postgres.sh BENCHES FACTOR ROUNDS [updates]"
benches=$1 factor=$2 rounds=$3 updates=${4:-} seed=${SEED:-20261123}
source_db=Bench1 target=Bench2

# ---- a server of its own ----

dir=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-bench-postgres.XXXXXX")
proxy=""
trap 'finish' EXIT
trap 'exit 130' INT TERM

finish() {
	[ -z "$proxy" ] || kill "$proxy"
	if [ -f "$dir/data/postmaster.pid" ]; then
		kill -QUIT "$(head -1 "$dir/data/postmaster.pid")"
		while [ -f "$dir/data/postmaster.pid" ] && kill -0 "$(head -1 "$dir/data/postmaster.pid")" 2> /dev/null; do sleep 0.1; done
	fi
	rm -rf "$dir"
}

as_server() { # COMMAND...: PostgreSQL refuses to be root
	if [ "$(id -u)" -eq 0 ]; then
		(cd "$dir" && runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

start() {
	bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
	PATH=$bin:$PATH
	chmod 0755 "$dir"
	[ "$(id -u)" -ne 0 ] || chown postgres "$dir"
	as_server "$bin/initdb" -D "$dir/data" -U bench -A trust -E UTF8 --locale=C.UTF-8 > "$dir/initdb.log"
	export PGHOST=$dir PGPORT PGUSER=bench
	PGPORT=$(free_port)
	cat >> "$dir/data/postgresql.conf" <<-TEXT
		port = $PGPORT
		listen_addresses = '127.0.0.1'
		unix_socket_directories = '$dir'
		shared_buffers = 512MB
		maintenance_work_mem = 128MB
		max_wal_size = 8GB
		checkpoint_timeout = 1h
		autovacuum = off
	TEXT
	as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 120 start > /dev/null
	server=$(head -1 "$dir/data/postmaster.pid")
}

ask() { # DATABASE SQL
	psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

# ---- measuring ----

# Processor seconds and megabytes written of the server: who has ended is counted with the postmaster.
server_used() {
	local pid ticks=0 bytes=0
	for pid in "$server" $(pgrep -P "$server"); do
		ticks=$((ticks + $(sed 's/.*) //' "/proc/$pid/stat" | awk -v all="$((pid == server))" \
			'{ print $12 + $13 + (all ? $14 + $15 : 0) }')))
		bytes=$((bytes + $(awk '/^write_bytes/ { print $2 }' "/proc/$pid/io")))
	done 2> /dev/null
	echo "$ticks $bytes"
}

# The same of a command's processes. Its output goes to $dir/said.
measured() { # COMMAND...
	(
		"$@" > "$dir/said" 2> "$dir/complaints" || exit 1
		sed 's/.*) //' "/proc/$BASHPID/stat" | awk '{ print $12 + $13 + $14 + $15 }' > "$dir/client_cpu"
		awk '/^write_bytes/ { print $2 }' "/proc/$BASHPID/io" > "$dir/client_io"
	) || {
		show_end_of "$dir/complaints"
		die "$1 failed"
	}
}

settle() {
	ask postgres CHECKPOINT
	sync -f "$dir/data"
}

drop_target() {
	dropdb --if-exists --force "$target" 2> /dev/null
	dropdb --if-exists --force _sandbox 2> /dev/null
}

# One line: name, run s, durable s, processor s, WAL MB, disk MB, target MB.
measure() { # NAME COMMAND...
	local name=$1 lsn before after begun ran durable
	shift
	drop_target
	rm -rf "$dir/dump"
	settle
	lsn=$(ask postgres 'SELECT pg_current_wal_lsn()')
	read -r -a before < <(server_used)
	begun=$(date +%s%N)
	measured "$@"
	ran=$(date +%s%N)
	settle
	durable=$(date +%s%N)
	read -r -a after < <(server_used)
	echo "$name $(((ran - begun) / 1000000)) $(((durable - begun) / 1000000))" \
		"$((10 * (after[0] - before[0] + $(cat "$dir/client_cpu"))))" \
		"$(ask postgres "SELECT pg_current_wal_lsn() - '$lsn'")" "$((after[1] - before[1] + $(cat "$dir/client_io")))" \
		"$(ask postgres "SELECT pg_database_size('$target')")" >> "$dir/figures"
}

# ---- ways ----

ours_masked() { "$benches/bench_postgres" "$PGPORT" "$source_db" "$target" masked "${STREAMS:-2}"; }
ours_plain() { "$benches/bench_postgres" "$PGPORT" "$source_db" "$target" plain "${STREAMS:-2}"; }

dump_restore() {
	pg_dump -Fd -j2 -Z0 -f "$dir/dump" "$source_db"
	createdb -T template0 "$target"
	pg_restore -j2 -d "$target" "$dir/dump"
}

dump_psql() {
	createdb -T template0 "$target"
	pg_dump "$source_db" | psql -X -q -v ON_ERROR_STOP=1 -d "$target"
}

dump_filter_psql() {
	createdb -T template0 "$target"
	pg_dump "$source_db" | "$benches/mask_dump" | psql -X -q -v ON_ERROR_STOP=1 -d "$target"
	ask "$target" ANALYZE
}

pgcopydb_clone() {
	createdb -T template0 "$target"
	pgcopydb clone --dir "$dir/pgcopydb" --restart --not-consistent --skip-ext-comments --table-jobs 2 --index-jobs 2 \
		--source "postgresql://bench@127.0.0.1:$PGPORT/$source_db" --target "postgresql://bench@127.0.0.1:$PGPORT/$target"
	rm -rf "$dir/pgcopydb"
}

# What most people script: a copy of the files, then an update of each column.
template_updates() {
	local table column
	createdb -T "$source_db" --strategy=file_copy "$target"
	while IFS='|' read -r table column; do
		ask "$target" "UPDATE $table SET $column = regexp_replace($column,
			'([A-Za-z0-9._%+-]+)@([A-Za-z0-9.-]+[.][a-z]+)', '\\1_\\2@mailinator.com', 'g') WHERE $column LIKE '%@%'"
	done < <(address_columns)
	ask "$target" ANALYZE
}

# ---- is it right? ----

address_columns() {
	cat <<-TEXT
		associate|login
		credential|display_name
		email|email_address
		text|text
		invitation|email
		extra_data|data
		audit|changes
		customer_login|email
		ticket|author_email
		ticket|cc
		ej_message|from_email
		ej_message|to_email
		ej_message|body
		s_shipment_addr|email
		s_bounce|address
		chat_session|customer_email
		mailbox|address
		outbox|from_email
	TEXT
}

shape() { # DATABASE: tables with their rows, indexes, validated constraints
	ask "$1" "SELECT (xpath('/row/c/text()', query_to_xml(format('SELECT ''%s '' || count(*) AS c FROM %I', c.relname, c.relname),
			false, true, '')))[1] FROM pg_class AS c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND
			relname !~ '^sandbox_' ORDER BY relname"
	ask "$1" "SELECT x.indexrelid::regclass FROM pg_index AS x WHERE indisvalid AND indrelid::regclass::text !~ '^(sandbox_|pg_)'
			ORDER BY x.indexrelid::regclass::text"
	ask "$1" "SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE convalidated AND contype IN
			('p', 'f') AND conrelid::regclass::text !~ '^(sandbox_|pg_)' ORDER BY conrelid::regclass::text, 2"
}

raw_texts() { # DATABASE
	local table column sum=0
	while IFS='|' read -r table column; do
		sum=$((sum + $(ask "$1" "SELECT count(*) FROM $table WHERE $column LIKE '%@rawhost%'")))
	done < <(address_columns)
	echo "$sum"
}

raw_bytes() { # DATABASE: how many lines of its files hold a raw address
	local oid
	oid=$(ask postgres "SELECT oid FROM pg_database WHERE datname = '$1'")
	{ find "$dir/data/base/$oid" -type f -exec env LC_ALL=C grep -caF '@rawhost' {} + || true; } | # none is what grep calls a failure
		awk -F: '{ sum += $NF } END { print sum + 0 }'
}

judge() { # NAME
	local same=differ texts=- bytes=-
	[ "$(shape "$source_db" | md5sum)" != "$(shape "$target" | md5sum)" ] || same=equal
	if [[ $1 =~ masked|filter|updates ]]; then
		texts=$(raw_texts "$target")
		bytes=$(raw_bytes "$target")
	fi
	echo "$1 $same $texts $bytes" >> "$dir/judged"
}

# ---- killed in the middle, and far away ----

done_share() { # of the copy's units, in percent
	psql -X -A -t -d "$target" -c "SELECT 100 * sum(done) / count(*) FROM sandbox_copy_unit" 2> /dev/null || echo 0
}

killed_and_taken_up() {
	local pid percent again
	drop_target
	"$benches/bench_postgres" "$PGPORT" "$source_db" "$target" masked "${STREAMS:-2}" > "$dir/said" 2>&1 &
	pid=$!
	while percent=$(done_share) && [ "${percent:-0}" -lt 40 ]; do
		kill -0 "$pid" 2> /dev/null || die "the copy was over before it could be killed"
	done
	kill -KILL "$pid"
	wait "$pid" 2> /dev/null || true
	percent=$(done_share)
	ours_masked > "$dir/said"
	again=$(ask "$target" "SELECT sum(n_tup_ins) FROM pg_stat_user_tables WHERE relname !~ '^sandbox_'")
	rows=$(awk '{ print $3 }' "$dir/said")
	say "killed when $percent % of the units were done, and taken up: $(((again - rows) * 1000 / rows)) of 1,000 rows were copied" \
		"twice (T18: at most 100); the target is $(judge killed_masked && awk '{ print $2 }' <(tail -1 "$dir/judged"))"
}

far_away() {
	local port near far
	port=$(free_port "$PGPORT")
	"$benches/delay_proxy" "$port" "$PGPORT" 10 &
	proxy=$!
	measure far_masked "$benches/bench_postgres" "$port" "$source_db" "$target" masked "${STREAMS:-2}"
	kill "$proxy"
	proxy=""
	near=$(median_of ours_masked 3)
	far=$(median_of far_masked 3)
	say "with 20 ms more to each round trip: $far s, $(ratio "$far" "$near") of the $near s without (T19: at most 1.3)"
}

# ---- telling ----

median_of() { # NAME FIELD: in seconds or megabytes
	awk -v name="$1" -v field="$2" '$1 == name { print $field / (field < 5 ? 1000 : 1000000) }' "$dir/figures" | sort -g |
		awk '{ v[NR] = $1 } END { if (NR) printf "%.2f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; else print "-" }'
}

ratio() { # A B
	awk -v a="$1" -v b="$2" 'BEGIN { if (a == "-" || b == "-" || b == 0) print "-"; else printf "%.2f", a / b }'
}

table() {
	local name
	say "| way | run s | durable s | CPU s | WAL MB | disk MB | target MB | tables, indexes, keys | raw texts | files with raw bytes |"
	say "|---|---|---|---|---|---|---|---|---|---|"
	for name in "${names[@]}"; do
		say "| $name | $(median_of "$name" 2) | $(median_of "$name" 3) | $(median_of "$name" 4) | $(median_of "$name" 5) |" \
			"$(median_of "$name" 6) | $(median_of "$name" 7) | $(awk -v n="$name" '$1 == n { print $2 " | " $3 " | " $4 }' "$dir/judged") |"
	done
}

targets() {
	local ours gigabytes
	ours=$(median_of ours_masked 3)
	gigabytes=$(ask postgres "SELECT pg_database_size('$source_db') / 1e9")
	say "T1 of the updates: $(ratio "$ours" "$(median_of template_updates 3)") (at most 0.15; 0.12)"
	say "T2 of pg_dump and pg_restore, unmasked: $(ratio "$ours" "$(median_of dump_restore 3)") (1.10; 0.90)"
	say "T4 of the filter in a pipe: $(ratio "$ours" "$(median_of dump_filter_psql 3)") (0.67; 0.55)"
	say "T5 masked of unmasked: $(ratio "$ours" "$(median_of ours_plain 3)") (1.12; 1.05)"
	say "T6 processor seconds for each GB of the source: $(ratio "$(median_of ours_masked 4)" "$gigabytes") (22; 17)"
	say "T7 WAL of the target: $(ratio "$(median_of ours_masked 5)" "$(median_of ours_masked 7)") (0.9; 0.1)," \
		"written of the target: $(ratio "$(median_of ours_masked 6)" "$(median_of ours_masked 7)") (2.3; 1.3)"
	say "T8 raw texts and files with raw bytes: $(awk '$1 == "ours_masked" { print $3 " and " $4 }' "$dir/judged") (0 and 0)"
	say "T9 most memory of the process: $(awk '{ print $4 }' "$dir/ours") MB (64; 32)"
}

names=(ours_masked ours_plain dump_restore dump_psql dump_filter_psql)
! command -v pgcopydb > /dev/null || names+=(pgcopydb_clone)
[ "$updates" != updates ] || names+=(template_updates)

start
ask postgres "CREATE DATABASE \"$source_db\""
psql -X -q -v k="$factor" -v seed="$seed" -d "$source_db" -f "$here/postgres/customer.sql" > /dev/null
say "$(postgres --version), factor $factor, $(ask postgres "SELECT pg_size_pretty(pg_database_size('$source_db'))")," \
	"$(raw_texts "$source_db") texts with a raw address"
for round in $(seq "$rounds"); do
	for name in "${names[@]}"; do
		measure "$name" "$name"
		[ "$name" != ours_masked ] || cp "$dir/said" "$dir/ours"
		[ "$round" -gt 1 ] || judge "$name"
	done
done
table
say "ours: $(awk '{ print "copied in " $1 " s, masking looked for and proved in " $2 " s" }' "$dir/ours")"
targets
killed_and_taken_up
far_away
