#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every statement of handlers/sql/sqlserver and of the folders for Azure, and those that the adapter makes itself (tests/support/sqlserver_pages.sql),
# is read by two independent parsers of T-SQL, sqlglot and sqlfluff. No SQL Server runs in the tests: this is what stands
# in for its parser.
#
#   tsql.sh [ROOT]
#
# The parsers are fetched once by pip into $SANDBOX_CACHE (default: cache/ in the build folder). Exit 77 when they cannot be
# had. TSQL_FILES chooses files by a pattern of their name.
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root"
cache=${SANDBOX_CACHE:-${BUILD_DIR:-$root/build}/cache}
parsers=(sqlglot==30.30.0 sqlfluff==4.5.0 sqlfluffrs==4.5.0)
libs=$cache/tsql-parsers-30.30.0-4.5.0

skip() {
	printf '%s\n' "$1"
	exit 77
}

# Several checks may want them at once: one fetches, the others wait.
fetch_parsers() {
	mkdir -p "$cache"
	exec 9> "$cache/tsql.lock"
	flock 9
	if [ ! -d "$libs" ]; then
		rm -rf "$libs.part"
		python3 -m pip install -q --disable-pip-version-check --target "$libs.part" "${parsers[@]}" > "$cache/tsql.log" 2>&1 ||
			skip "the parsers of T-SQL (${parsers[*]}) could not be fetched: T-SQL was not read"
		mv "$libs.part" "$libs"
	fi
	flock -u 9
}

command -v python3 > /dev/null || skip 'python3 is not installed: T-SQL was not read'
[ -d "$libs" ] || fetch_parsers
PYTHONPATH=$libs python3 tests/lint/tsql.py "${TSQL_FILES:-*.sql}" \
	handlers/sql/{sqlserver,azure,azuresql,sqlmanaged} tests/support/sqlserver_pages.sql
