#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The dependency rule: who may include what. Each folder names the project folders and the system headers it may use;
# everything else is a fault. Below it, what the pure libraries may call, read from what was built.
#
#   dependencies.sh [ROOT [BUILD]]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${2:-}
cd "$root"
faults=0

# Types, text and memory: no file, clock, thread or socket. stdio.h is there for snprintf; see may_call below.
pure='assert ctype errno inttypes limits stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string strings'
# What the kernel and the C library offer; no third-party library.
system="$pure arpa/inet dirent fcntl ftw netdb netinet/in netinet/tcp poll pthread sched signal spawn sys/epoll sys/eventfd
	sys/file sys/ioctl sys/mman sys/random sys/signalfd sys/socket sys/stat sys/statvfs sys/syscall sys/time sys/timerfd sys/timex
	sys/types sys/uio sys/un sys/wait sysexits syslog termios time ucontext unistd linux/openat2"

fault() {
	printf '%s\n' "$1"
	faults=$((faults + 1))
}

is_one_of() { # WORD LIST
	local word
	for word in $2; do
		[ "$word" != "$1" ] || return 0
	done
	return 1
}

# A project header is allowed when its path begins with one of the given prefixes.
begins_with_one_of() { # PATH LIST
	local prefix
	for prefix in $2; do
		[[ $1 != "$prefix"* ]] || return 0
	done
	return 1
}

# FOLDER: files directly in it; "project prefixes"; "system headers without .h".
may_include() {
	local folder=$1 project=$2 headers=$3 file line name
	while IFS=: read -r file line; do
		[[ $line =~ [\<\"]([^\>\"]*)[\>\"] ]] || { fault "$file includes something that has no name"; continue; }
		name=${BASH_REMATCH[1]}
		if [[ $line == *'<'* ]]; then
			is_one_of "${name%.h}" "$headers" || fault "$file may not include <$name>"
		else
			begins_with_one_of "$name" "$project" || fault "$file may not include \"$name\""
		fi
	done < <(grep -sHE '^[[:space:]]*#[[:space:]]*include' "$folder"/*.[ch] || true)
}

adapter() { # TECHNOLOGY "third-party headers" ["more project prefixes"]
	may_include "consumer/adapters/$1" \
		"consumer/adapters/$1/ consumer/ports/ consumer/core/ handlers/base/ handlers/ports/ ${3:-}" "$system $2"
	known_adapters+=" $1"
}

# ---- who may include what ----

may_include handlers/base 'handlers/base/' "$pure"
may_include handlers/ports 'handlers/base/ handlers/ports/' "$pure"
may_include handlers/masking 'handlers/base/ handlers/masking/' "$pure"
may_include handlers 'handlers/' "$pure time"
may_include consumer/ports 'consumer/ports/ handlers/base/ handlers/ports/ handlers/step' "$pure"
may_include consumer/core 'consumer/core/ consumer/ports/ handlers/base/ handlers/step' "$pure"
may_include consumer/runtime 'consumer/runtime/ consumer/core/ consumer/ports/ handlers/base/ handlers/step' "$system"
may_include consumer/ctl 'consumer/ctl/ consumer/core/ consumer/ports/ handlers/base/ handlers/step' "$system getopt"
may_include consumer/notifier 'consumer/notifier/ consumer/core/ consumer/ports/ handlers/base/ handlers/ports/' "$system"
may_include consumer/tenant 'consumer/tenant/ consumer/core/ consumer/ports/ handlers/base/ handlers/step' "$system"
may_include consumer/programs 'consumer/ handlers/' "$system getopt"

known_adapters=''
adapter kafka 'librdkafka/rdkafka'
adapter redis 'hiredis/hiredis' 'consumer/adapters/openssl/tls_client'
adapter avro 'avro jansson'
adapter openssl 'openssl/bio openssl/bn openssl/err openssl/evp openssl/hmac openssl/pem openssl/rand openssl/rsa openssl/core_names openssl/ssl openssl/x509v3'
adapter http 'curl/curl jansson resolv sys/resource' 'consumer/notifier/address_rules consumer/notifier/target_url'
adapter httpd 'microhttpd'
adapter odbc 'sql sqlext' 'handlers/sql/'
adapter libpq 'libpq-fe'
adapter sqlite 'sqlite3'
adapter files ''
adapter azure 'curl/curl' 'consumer/adapters/openssl/base64 consumer/adapters/openssl/hmac_sha256'
adapter system 'ini openssl/core_names openssl/evp openssl/params'

for folder in consumer/adapters/*/; do
	name=$(basename "$folder")
	is_one_of "$name" "$known_adapters" || fault "consumer/adapters/$name has no rule in tests/lint/dependencies.sh"
done

# Nobody below the programs names an adapter or another program's part.
while IFS= read -r line; do
	fault "only consumer/programs may see adapters: $line"
done < <(grep -rnE '#[[:space:]]*include[[:space:]]*"consumer/(adapters|programs)/' handlers consumer/core consumer/ports \
	consumer/runtime consumer/ctl consumer/notifier consumer/tenant --include='*.[ch]' 2> /dev/null || true)

# ---- what the pure libraries call ----

memory='calloc free malloc realloc strdup'
text='__ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc __isoc99_sscanf __isoc99_strtol __isoc99_strtoll
	__isoc99_strtoull memchr memcmp memcpy memmem memmove memrchr memset snprintf strcasecmp strcasestr strchr strchrnul
	strcmp strcspn strlen strncasecmp strncmp strncpy strndup strnlen strpbrk strrchr strsep strspn strstr strtod strtok_r
	strtol strtoll strtoul strtoull vsnprintf'
# Formatting of a time that was given, never the time of now.
dates='gmtime_r strftime timegm'
others='__errno_location __popcountdi2 __stack_chk_fail __assert_fail abort bsearch qsort'

may_call() { # LIBRARY "functions"
	local name
	[ -f "$build/$1" ] || fault "$1 was not built"
	while read -r name; do
		is_one_of "$name" "$2" || fault "$1 may not call $name"
	done < <(comm -23 <(nm -u "$build/$1" 2> /dev/null | awk '$1 == "U" { print $2 }' | sort -u) "$defined")
}

if [ -n "$build" ]; then
	defined=$(mktemp)
	trap 'rm -f "$defined"' EXIT
	nm --defined-only "$build"/handlers/lib*.a "$build"/consumer/libsandbox_core.a 2> /dev/null |
		awk 'NF == 3 { print $3 }' | sort -u > "$defined"
	for library in handlers/libsandbox_base.a handlers/libsandbox_masking.a handlers/libsandbox_handlers.a \
		consumer/libsandbox_core.a; do
		may_call "$library" "$memory $text $dates $others"
	done
fi

[ "$faults" -eq 0 ]
