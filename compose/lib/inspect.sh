# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Looking at what a clone left, with tools that know nothing of it. $folder is a folder of compose/up.

# What looks like an address anywhere in a text.
address_pattern='[A-Za-z0-9._%+~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}'

# The whole addresses of people, one a line.
mail_addresses() { # DATABASE
	sqlite3 "file:$1?mode=ro" 'SELECT DISTINCT trim(email_address) FROM Email' | grep -xE "$address_pattern" | sort -u
}

# How often one of the lines of WORDS is in the bytes of FILE: rows, free pages, everything.
count_in_bytes() { # WORDS FILE
	LC_ALL=C grep -aoiF -f "$1" -- "$2" | wc -l
}

# Every address of every table whose host is not DOMAIN, one a line. An id of a message is in angle brackets.
addresses_outside() { # DOMAIN DATABASE
	sqlite3 "file:$2?mode=ro" .dump | grep -oE "<?$address_pattern>?" | grep -v '^<.*>$' | grep -viE "@${1//./\\.}\$" || true
}

count_rows() { # DATABASE TABLE
	sqlite3 "file:$1?mode=ro" "SELECT count(*) FROM \"$2\""
}

count_files() { # FOLDER
	find "$1" -type f | wc -l
}

# Files of the first folder that the second lacks or has otherwise.
differing_files() { # FOLDER COPY
	diff -rq -- "$1" "$2" | wc -l
}

# Databases of a tenant in the folder of databases, generations that were taken out of service too.
count_databases() { # TENANT
	find "$folder/databases" -name "$1*.sqlite" | wc -l
}

# The state of the outside systems, as their stand-in keeps it.
stub_state() {
	curl -fsS "http://127.0.0.1:$(cat "$folder/stubs.port")/_control/state"
}

# Everything in it that bears the tenant's name.
of_tenant() { # TENANT
	jq -cS --arg ctx "$1" '[.. | objects | select(.ctx? == $ctx or .tenant_ctx? == $ctx)]'
}
