#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The checks beside this file, checked: each fault is planted in a copy of the tree, and must be found.
#
#   self.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
copy=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-lint.XXXXXX")
trap 'rm -rf "$copy"' EXIT
misses=0

mkdir "$copy/tree"
for name in .ci CMakeLists.txt CMakePresets.json LICENSE README.md consumer handlers schemas tests compose docs; do
	cp -a "$root/$name" "$copy/tree/"
done

# A fault nobody planted would hide one that was: the copy must pass first.
clean() { # CHECK
	"$copy/tree/tests/lint/$1" "$copy/tree" > "$copy/said" 2>&1 || {
		printf '%s fails on the tree as it is, so what it would find cannot be told\n' "$1"
		misses=$((misses + 1))
	}
}

expect() { # CHECK "what it must say"
	if "$root/tests/lint/$1" "$copy/tree" > "$copy/said" 2>&1; then
		printf '%s passes although: %s\n' "$1" "$2"
		misses=$((misses + 1))
	elif ! grep -qF -- "$2" "$copy/said"; then
		printf '%s does not say: %s\n' "$1" "$2"
		misses=$((misses + 1))
	fi
}

append() { # FILE LINE CHECK "what it must say"
	cp -a "$copy/tree/$1" "$copy/kept"
	printf '%s\n' "$2" >> "$copy/tree/$1"
	expect "$3" "$4"
	mv "$copy/kept" "$copy/tree/$1"
}

take_away() { # FILE CHECK "what it must say"
	mv "$copy/tree/$1" "$copy/kept"
	expect "$2" "$3"
	mv "$copy/kept" "$copy/tree/$1"
}

create() { # FILE CHECK "what it must say"
	printf 'x\n' > "$copy/tree/$1"
	expect "$2" "$3"
	rm "$copy/tree/$1"
}

for check in dependencies.sh steps.sh layout.sh length.sh links.sh; do
	clean "$check"
done

append handlers/guard.c '#include <sys/socket.h>' dependencies.sh 'handlers/guard.c may not include <sys/socket.h>'
append handlers/guard.c '#include "consumer/core/engine.h"' dependencies.sh 'handlers/guard.c may not include'
append handlers/masking/cell.c '#include <curl/curl.h>' dependencies.sh 'may not include <curl/curl.h>'
append consumer/core/engine.c '#include <time.h>' dependencies.sh 'consumer/core/engine.c may not include <time.h>'
append consumer/core/engine.c '#  include <pthread.h>' dependencies.sh 'may not include <pthread.h>'
append consumer/core/engine.h '#include "consumer/adapters/redis/redis_store.h"' dependencies.sh 'may not include "consumer/adapters'
append consumer/ports/bus.h '#include <librdkafka/rdkafka.h>' dependencies.sh 'may not include <librdkafka/rdkafka.h>'
append consumer/runtime/loop.c '#include "consumer/adapters/kafka/kafka_bus.h"' dependencies.sh 'only consumer/programs may see adapters'
append consumer/adapters/redis/redis_link.c '#include <librdkafka/rdkafka.h>' dependencies.sh 'may not include <librdkafka/rdkafka.h>'
append consumer/adapters/redis/redis_link.c '#include "consumer/adapters/kafka/kafka_bus.h"' dependencies.sh 'may not include "consumer/adapters/kafka'
append handlers/steps.def 'STEP(34, extra_step,' steps.sh 'has 34 steps, not 33'
append handlers/guard.c "// TO""DO later" layout.sh 'unfinished'
append docs/kafka.md "see /ho""me/somebody/x" layout.sh "a path of somebody's machine"
append docs/kafka.md '[there](nowhere.md)' links.sh 'the link to nowhere.md leads nowhere'
append handlers/guard.c "$(seq 500 | sed 's/^/int x_/; s/$/;/')" length.sh 'more than 500'
append handlers/guard.c "$(printf 'int f(void)\n{\n'; seq 81; printf '}\n')" length.sh 'has 81 lines, more than 80'
take_away handlers/s01_enter_offline_mode.c steps.sh 'handlers/s01_enter_offline_mode.c is missing'
take_away docs/steps/s33_wait_web_config.md steps.sh 's33_wait_web_config.md is missing'
take_away tests/steps/test_s08_copy_database.c steps.sh 'test_s08_copy_database.c is missing'
take_away LICENSE layout.sh 'LICENSE is missing'
# The parsers of T-SQL are fetched into the tree's own cache, and not at all where they cannot be had.
export SANDBOX_CACHE=${SANDBOX_CACHE:-${BUILD_DIR:-$root/build}/cache} TSQL_FILES=keys.sql code=0
"$copy/tree/tests/lint/tsql.sh" "$copy/tree" > "$copy/said" 2>&1 || code=$?
if [ "$code" -ne 77 ]; then
	clean tsql.sh
	append handlers/sql/sqlserver/keys.sql "$(printf -- '-- name: planted\nSELECT name FROMM {schema}.t WHERE (a = :b\n')" \
		tsql.sh 'keys.sql: planted: sqlglot'
	append handlers/sql/sqlserver/keys.sql "$(printf -- '-- name: planted\nSELECT name FROMM {schema}.t WHERE (a = :b\n')" \
		tsql.sh 'keys.sql: planted: sqlfluff'
fi
create handlers/s34_extra.c steps.sh 'belongs to no row'
create notes.txt layout.sh 'notes.txt does not belong'
create handlers/more.c layout.sh 'does not name its licence'

[ "$misses" -eq 0 ]
