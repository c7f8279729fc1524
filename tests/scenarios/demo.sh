#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo does what it says: a first run, a busy port, one that is kept and used again, and nothing left running.
#
#   demo.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d "${TMPDIR:-/tmp}/demo.XXXXXX")
folder=$work/d
wrong=0

clean_up() {
	"$root/compose/demo" --stop --folder "$folder" || true
	rm -rf "$work"
}
trap clean_up EXIT

fault() {
	printf '%s\n' "$1"
	wrong=$((wrong + 1))
}

demo() { # WANTED-CODE "what it must say" [ARGUMENT...]
	local wanted=$1 words=$2 code=0
	shift 2
	"$root/compose/demo" --folder "$folder" "$@" > "$work/said" 2>&1 < /dev/null || code=$?
	if [ "$code" -ne "$wanted" ] || ! grep -qF -- "$words" "$work/said"; then
		fault "compose/demo $* ended with $code instead of $wanted, or did not say: $words"
		sed 's/^/    /' "$work/said"
	fi
}

runs() {
	"$root/compose/up" --status --folder "$folder" | grep -c ' runs$' || true
}

demo 0 'All of it took'
[ "$(grep -c '^  right ' "$work/said")" -ge 26 ] || fault 'the demo made fewer checks of its own than it has'
[ "$(runs)" -eq 0 ] || fault 'processes are left running after the demo'
demo 0 'All of it took' --keep
[ "$(runs)" -eq 7 ] || fault 'not everything runs after --keep'
first=$(find "$folder/databases" -name 'Cust70001__*.sqlite')

# The kept one's port is the busy port.
port=$(sed -n 's/^listen = .*://p' "$folder/sandbox.ini" | head -n 1)
code=0
"$root/compose/up" --folder "$work/e" --port "$port" > "$work/said" 2>&1 || code=$?
if [ "$code" -eq 0 ] || ! grep -qF "port $port on 127.0.0.1 is in use" "$work/said" || [ "$(wc -l < "$work/said")" -gt 2 ]; then
	fault 'a busy port is no clear sentence'
	sed 's/^/    /' "$work/said"
fi

# Once more in the same: the second clone replaces the first.
demo 0 'All of it took'
[ "$(runs)" -eq 7 ] || fault 'a second clone ended what was to be kept'
[ ! -e "$first" ] || fault 'the first sandbox is still there after the second'

"$root/compose/demo" --stop --folder "$folder"
[ "$(runs)" -eq 0 ] || fault 'processes are left running after --stop'

# What is not ours is not wiped.
mkdir "$work/mine"
touch "$work/mine/precious"
if "$root/compose/up" --folder "$work/mine" > "$work/said" 2>&1 || [ ! -e "$work/mine/precious" ]; then
	fault 'a folder that is not ours was taken'
fi

[ "$wrong" -eq 0 ]
