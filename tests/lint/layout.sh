#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is where: the top level, the licence line of each file, no unfinished business, no path of somebody's machine.
#
#   layout.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root"
faults=0
folders=(consumer handlers schemas tests compose docs)
top=" CMakeLists.txt CMakePresets.json LICENSE README.md ${folders[*]} "

fault() {
	printf '%s\n' "$1"
	faults=$((faults + 1))
}

for name in *; do
	case $name in
	build | build-*) ;; # made by building, not ours to judge
	*) [[ $top == *" $name "* ]] || fault "$name does not belong at the top level" ;;
	esac
done
for name in $top; do
	[ -e "$name" ] || fault "$name is missing at the top level"
done

while IFS= read -r file; do
	fault "$file does not name its licence on top"
done < <(find "${folders[@]}" \( -name '*.[ch]' -o -name '*.def' -o -name '*.sh' -o -name '*.sql' -o -name '*.lua' \
	-o -name CMakeLists.txt -o -name '*.cmake' \) -type f -exec awk '
		FNR == 1 { if (file != "" && !named) print file; file = FILENAME; named = 0 }
		FNR <= 3 && /SPDX-License-Identifier: Apache-2.0/ { named = 1 }
		END { if (!named) print file }' {} +)

# The marks are written in two parts here, so that this file does not find itself.
while IFS= read -r line; do
	fault "unfinished: $line"
done < <(grep -rnIE "\b(TO""DO|FIX""ME|XX""X)\b" "${folders[@]}" README.md CMakeLists.txt .ci 2> /dev/null || true)

while IFS= read -r line; do
	fault "a path of somebody's machine: $line"
done < <(grep -rnIE "(^|[^A-Za-z0-9_.~-])/(ho""me|wo""rk|ro""ot|Use""rs)/[A-Za-z]" "${folders[@]}" README.md CMakeLists.txt .ci \
	2> /dev/null || true)

[ "$faults" -eq 0 ]
