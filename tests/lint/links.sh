#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every relative link of a Markdown page leads to a file that is there.
#
#   links.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root"
faults=0

while IFS=: read -r page target; do
	target=${target%%#*}
	case $target in
	'' | http://* | https://* | mailto:*) continue ;;
	esac
	if [ ! -e "$(dirname "$page")/$target" ]; then
		printf '%s: the link to %s leads nowhere\n' "$page" "$target"
		faults=$((faults + 1))
	fi
done < <(find README.md consumer handlers schemas tests compose docs -name '*.md' -type f -print0 |
	xargs -0 grep -HoE '\]\([^) ]+\)' | sed -E 's/:\]\((.*)\)$/:\1/')

[ "$faults" -eq 0 ]
