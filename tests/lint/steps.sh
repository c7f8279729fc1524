#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every row of handlers/steps.def has its file, its page and its test; and nothing is left of a row that went.
#
#   steps.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root"
faults=0

fault() {
	printf '%s\n' "$1"
	faults=$((faults + 1))
}

names=$(sed -nE 's/^STEP\(([0-9]{2}), *([a-z_0-9]+),.*/s\1_\2/p' handlers/steps.def)
count=$(wc -l <<< "$names")
[ "$count" -eq 33 ] || fault "handlers/steps.def has $count steps, not 33"

for name in $names; do
	[ -s "handlers/$name.c" ] || fault "handlers/$name.c is missing"
	[ -s "docs/steps/$name.md" ] || fault "docs/steps/$name.md is missing"
	[ -s "tests/steps/test_$name.c" ] || fault "tests/steps/test_$name.c is missing"
done

for file in handlers/s[0-9][0-9]_*.c docs/steps/s[0-9][0-9]_*.md tests/steps/test_s[0-9][0-9]_*.c; do
	[ -e "$file" ] || continue
	stem=$(basename "$file")
	stem=${stem#test_}
	grep -qxF "${stem%.*}" <<< "$names" || fault "$file belongs to no row of handlers/steps.def"
done

# A statement file names the step it belongs to.
for file in handlers/sql/*/s[0-9][0-9]_*.sql; do
	[ -e "$file" ] || continue
	stem=$(basename "$file")
	grep -q "^${stem%%_*}_" <<< "$names" || fault "$file belongs to no row of handlers/steps.def"
done

[ "$faults" -eq 0 ]
