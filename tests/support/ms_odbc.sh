#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the path of the library of Microsoft's ODBC driver 18 for SQL Server.
#
# It comes once, by pip, from the wheel mssql-python-odbc, which Microsoft publishes under its own terms: it may be used to
# develop and test, and is never part of what we ship. It is kept in $SANDBOX_CACHE (default: cache/ in the build folder
# $BUILD_DIR). Exit 77 when it cannot be had.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${SANDBOX_CACHE:-${BUILD_DIR:-$root/build}/cache}
version=18.6.2.2
folder=$cache/ms-odbc-$version

if [ ! -d "$folder" ]; then
	mkdir -p "$cache"
	exec 9> "$cache/ms-odbc.lock"
	flock 9
	if [ ! -d "$folder" ]; then
		rm -rf "$folder.part"
		python3 -m pip install -q --disable-pip-version-check --no-deps --target "$folder.part" \
			"mssql-python-odbc==$version" > "$cache/ms-odbc.log" 2>&1 || exit 77
		mv "$folder.part" "$folder"
	fi
	flock -u 9
fi
library=$(find "$folder" -path '*debian*' -path "*$(uname -m)*" -name 'libmsodbcsql-18*' -print -quit)
[ -n "$library" ] && ! ldd "$library" 2>&1 | grep -q 'not found' || exit 77
printf '%s\n' "$library"
