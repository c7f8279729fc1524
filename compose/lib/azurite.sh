#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Azurite, Microsoft's emulator of Azure Blob Storage, for compose/up --real, tests and benchmarks.
#
#   azurite.sh start DIR   starts it in DIR (made when missing) on $AZURITE_PORT or a free one, prints the URL of its account
#                          (AZURITE_ACCOUNTS=NAME:KEY names another account than that which everybody knows)
#   azurite.sh stop DIR    stops it; the data stays in DIR
#
# The package is fetched once by npm into $SANDBOX_CACHE (default: cache/ in the build folder $BUILD_DIR); later starts need
# no network. Exit 77: Node.js or npm is missing, or the package cannot be fetched, so a test that needs it is skipped.
set -eu
. "$(dirname "$0")/server.sh"

skip=77

die() {
	echo "azurite: $2" >&2
	exit "$1"
}

# The newer one wants Node.js 20, and copies blocks from a URL; the older one runs on what Debian 12 has.
choose_version() {
	local major
	command -v node > /dev/null || die $skip "node is not installed (package nodejs)"
	major=$(node --version | sed -n 's/^v\([0-9]*\).*/\1/p')
	version=3.37.0
	[ "${major:-0}" -ge 20 ] || version=3.35.0
	home=$cache/azurite-$version
}

# Several tests may want it at once: one fetches, the others wait.
fetch_package() {
	local work
	[ -d "$home" ] && return
	command -v npm > /dev/null || die $skip "azurite $version is not in $cache and npm is not installed"
	mkdir -p "$cache"
	exec 9> "$cache/azurite.lock"
	flock 9
	[ -d "$home" ] && return
	work=$(mktemp -d "$cache/fetch.XXXXXX")
	if ! npm install --no-audit --no-fund --prefix "$work" "azurite@$version" > "$work/log" 2>&1; then
		tail -n 5 "$work/log" >&2
		rm -rf "$work"
		die $skip "azurite $version could not be fetched"
	fi
	mv "$work" "$home"
	flock -u 9
}

start() {
	local port tries=3
	choose_version
	fetch_package
	mkdir -p "$dir/data"
	is_alive && die 1 "it runs already in $dir"
	port=${AZURITE_PORT:-$(free_port)}
	until run_server "$port" "$dir/log" node "$home/node_modules/azurite/dist/src/blob/main.js" --blobHost 127.0.0.1 \
		--blobPort "$port" --location "$dir/data" --silent --disableTelemetry; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || die 1 "it ended while starting: $(why_it_ended "$dir/log")"
		port=$(free_port)
	done
	echo "http://127.0.0.1:$port/${account:-devstoreaccount1}" | tee "$dir/url"
}

[ $# -eq 2 ] || die 2 "usage: azurite.sh start DIR | stop DIR"
dir=$(realpath -m "$2")
build=${BUILD_DIR:?azurite: BUILD_DIR names the build folder}
cache=${SANDBOX_CACHE:-$build/cache}
account=${AZURITE_ACCOUNTS:-}
account=${account%%:*}

case $1 in
start) start ;;
stop) stop_server ;;
*) die 2 "unknown act: $1" ;;
esac
