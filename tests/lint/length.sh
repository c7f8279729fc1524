#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What fits into a head: files of the product of at most 500 lines, functions of at most 80.
#
#   length.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root"

find handlers consumer compose -name '*.[ch]' -type f -print0 | sort -z | xargs -0 awk '
	FNR == 1 { open_line = 0 }
	{ lines[FILENAME] = FNR }
	/^\{$/ { open_line = FNR }
	/^\}$/ {
		if (open_line && FNR - open_line - 1 > 80) {
			print FILENAME ": the function at line " open_line " has " FNR - open_line - 1 " lines, more than 80"
			faults++
		}
		open_line = 0
	}
	END {
		for (file in lines)
			if (lines[file] > 500) {
				print file ": has " lines[file] " lines, more than 500"
				faults++
			}
		exit faults > 0
	}'
