#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Azurite, Microsoft's emulator of Azure Blob Storage, for tests and benchmarks.
#
#   azurite.sh start DIR   starts it in DIR (made when missing) on a free port, prints the URL of its account
#   azurite.sh stop DIR    stops it; the data stays in DIR
#
# The package is fetched once by npm into $SANDBOX_CACHE (default: cache/ in the build folder $BUILD_DIR); later starts need
# no network. Exit 77: Node.js or npm is missing, or the package cannot be fetched, so a test that needs it is skipped.
set -eu

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

port_is_free() {
	! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

free_port() {
	local port
	for _ in $(seq 100); do
		port=$((RANDOM % 20000 + 20000))
		if port_is_free "$port"; then
			echo "$port"
			return
		fi
	done
	die 1 "no free port was found"
}

# A process that ended but that nobody has waited for is not alive, though it still has its number.
is_alive() {
	local pid
	[ -f "$dir/pid" ] || return 1
	pid=$(cat "$dir/pid")
	kill -0 "$pid" 2> /dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2> /dev/null
}

start() {
	local port
	choose_version
	fetch_package
	mkdir -p "$dir/data"
	is_alive && die 1 "it runs already in $dir"
	port=$(free_port)
	# A session of its own: who ends a test's process group must not end it as well.
	setsid node "$home/node_modules/azurite/dist/src/blob/main.js" --blobHost 127.0.0.1 --blobPort "$port" \
		--location "$dir/data" --silent --disableTelemetry > "$dir/log" 2>&1 9>&- < /dev/null &
	echo $! > "$dir/pid"
	for _ in $(seq 300); do
		is_alive || die 1 "it ended while starting: $(tail -n 1 "$dir/log")"
		port_is_free "$port" || break
		sleep 0.1
	done
	port_is_free "$port" && die 1 "it did not open its port"
	echo "http://127.0.0.1:$port/devstoreaccount1" | tee "$dir/url"
}

stop() {
	is_alive || return 0
	kill "$(cat "$dir/pid")"
	for _ in $(seq 100); do
		is_alive || break
		sleep 0.1
	done
	if is_alive; then
		kill -KILL "$(cat "$dir/pid")"
	fi
	rm -f "$dir/pid"
}

[ $# -eq 2 ] || die 2 "usage: azurite.sh start DIR | stop DIR"
dir=$(realpath -m "$2")
build=${BUILD_DIR:?azurite: BUILD_DIR names the build folder}
cache=${SANDBOX_CACHE:-$build/cache}

case $1 in
start) start ;;
stop) stop ;;
*) die 2 "unknown act: $1" ;;
esac
