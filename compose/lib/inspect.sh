# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# Looking at what a clone left, with tools that know nothing of it. $folder is a folder of compose/up; how databases and
# blobs are looked at is in embedded.sh and real.sh.

# What looks like an address anywhere in a text.
address_pattern='[A-Za-z0-9._%+~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}'

# The whole addresses of people, one a line.
mail_addresses() { # DATABASE
	ask_database "$1" 'SELECT DISTINCT trim(email_address) FROM Email' | grep -xE "$address_pattern" | sort -u
}

# How often one of the lines of WORDS is in the bytes of a database's files.
count_in_bytes() { # WORDS DATABASE
	bytes_of_database "$2" | LC_ALL=C grep -aoiF -f "$1" | wc -l
}

# Every address of every table whose host is not DOMAIN, one a line. DOMAIN.txt is the end of a file's name, and what is
# all hexadecimal before the at sign is the id of a message, not a person.
addresses_outside() { # DOMAIN DATABASE
	dump_database "$2" | LC_ALL=C grep -aoE "$address_pattern" | grep -viE "@${1//./\\.}(\.txt)?\$" |
		grep -viE '^[0-9a-f]{16,}@' || true
}

count_rows() { # DATABASE TABLE
	ask_database "$1" "SELECT count(*) FROM $2"
}

count_files() { # FOLDER
	find "$1" -type f ! -name .sandbox-token | wc -l
}

# Files of the copy's folders that are not byte for byte those of the original's, and files only one of the two has.
differing_files() { # ORIGINAL COPY
	local part
	for part in "$2"/*/; do
		diff -rq -- "$1/$(basename "$part")" "$part" || true
	done | wc -l
}

# Every request that the partner apps' server took in, as JSON, one a line.
partner_requests() {
	curl -fsS "http://127.0.0.1:$(sed -n 's/^http //p' "$folder/partner/ports")/-/requests?0"
}

# The state of the outside systems, as their stand-in keeps it.
stub_state() {
	curl -fsS "http://127.0.0.1:$(cat "$folder/stubs.port")/_control/state"
}

# Everything in it that bears the tenant's name.
of_tenant() { # TENANT
	jq -cS --arg ctx "$1" '[.. | objects | select(.ctx? == $ctx or .tenant_ctx? == $ctx)]'
}

as_redis_admin() { # COMMAND...
	redis-cli -s "$folder/redis/redis.sock" --user admin --pass "$(cat "$folder/secret/redis-admin")" --no-auth-warning "$@"
}

# What Redis has refused to users of ours since it started.
redis_refusals() {
	as_redis_admin --json acl log | jq length
}
