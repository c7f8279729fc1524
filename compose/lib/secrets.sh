# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# Secrets of an installation, each in a file of the folder $secrets; what is there already stays. Sourced, never run.

# What Redis lets each of them do: compose/redis/users.acl.
redis_users=(sandbox-consumer sandbox-notifier sandbox-operator)

make_secret() { # NAME
	[ -s "$secrets/$1" ] || (umask 077 && head -c 48 /dev/urandom | base64 -w 0 > "$secrets/$1")
}

# One of letters and digits, as the strings that connections are made of want it.
make_password() { # NAME
	[ -s "$secrets/$1" ] || (umask 077 && head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > "$secrets/$1")
}

make_key() { # NAME ALGORITHM [OPTION...]
	local name=$1 algorithm=$2
	shift 2
	[ -s "$secrets/$name" ] ||
		(umask 077 && openssl genpkey -algorithm "$algorithm" "$@" -out "$secrets/$name" 2> /dev/null)
}

# For the notifier's tokens, and for its signatures.
make_notifier_keys() {
	make_key notifier.rsa RSA -pkeyopt rsa_keygen_bits:2048
	make_key notifier.ed25519 ED25519
}

# The roles of compose/postgres/roles.sh.
make_sql_passwords() {
	local name
	for name in sql-reader sql-query sql-tenant sql-cloner; do
		make_password "$name"
	done
}

redis_hash() { # USER
	make_secret "redis-$1"
	sha256sum < "$secrets/redis-$1" | cut -c 1-64
}

# Each program has a user of its own with no more rights than it needs; the administrator is for looking only.
print_redis_users() { # ACL-FILE
	local name
	grep '^user default ' "$1"
	for name in "${redis_users[@]}"; do
		sed -n "/^user $name /s/PASSWORD/$(redis_hash "$name")/p" "$1"
	done
	printf 'user admin on #%s ~* &* +@all\n' "$(redis_hash admin)"
}
