#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Shell scripts: bash reads them all, they stop at the first error, and shellcheck, where installed, has nothing to say.
#
#   scripts.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$root"
faults=0

fault() {
	printf '%s\n' "$1"
	faults=$((faults + 1))
}

mapfile -t scripts < <(grep -rlIE '^#!/bin/(ba)?sh' .ci compose tests consumer handlers schemas 2> /dev/null | sort)
for script in "${scripts[@]}"; do
	[ -x "$script" ] || fault "$script cannot be run: chmod +x"
	bash -n "$script" || fault "$script is not sound"
	grep -qE '^set -e' "$script" || fault "$script does not stop at errors"
	# Others' processes are ended by nobody, data is never run as code.
	if grep -nE '^[^#]*\b(pkill|killall|eval)\b' "$script"; then
		[ "$script" = tests/lint/scripts.sh ] || fault "$script ends processes by name, or evaluates text"
	fi
done
if command -v shellcheck > /dev/null; then
	shellcheck -x -P SCRIPTDIR -S warning "${scripts[@]}" || fault "shellcheck has something to say"
fi

# The programs are not installed here: what is verified starts something that is.
if command -v systemd-analyze > /dev/null; then
	units=$(mktemp -d)
	for unit in compose/systemd/*.service; do
		sed 's|^ExecStart=/usr/bin/.*|ExecStart=/bin/true|' "$unit" > "$units/${unit##*/}"
	done
	said=$(systemd-analyze verify --man=no "$units"/*.service 2>&1) || true
	rm -rf "$units"
	[ -z "$said" ] || fault "systemd-analyze: $said"
fi

[ "$faults" -eq 0 ]
