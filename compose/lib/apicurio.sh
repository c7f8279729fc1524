#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real schema registry, for compose/up --real and tests: Apicurio Registry, which speaks the API of Confluent's.
#
#   apicurio.sh start DIR   starts it in DIR (made when missing) on $APICURIO_PORT or a free one, prints the URL of that API;
#                           schemas must stay compatible, both ways (schemas/README.md)
#   apicurio.sh stop DIR    stops it; the schemas stay in DIR, with their ids
#
# It is fetched once by Maven into $SANDBOX_CACHE (default: cache/ in the build folder $BUILD_DIR). Exit 77: Java 17 or Maven is
# missing, or it cannot be fetched, so a test that needs it is skipped.
set -eu
. "$(dirname "$0")/server.sh"

version=3.0.9
skip=77

die() {
	echo "apicurio: $2" >&2
	exit "$1"
}

fetch() {
	local work
	[ -d "$home" ] && return
	command -v mvn > /dev/null || die $skip "Apicurio $version is not in $cache and mvn is not installed"
	mkdir -p "$cache"
	exec 9> "$cache/apicurio.lock"
	flock 9
	[ -d "$home" ] && return
	work=$(mktemp -d "$cache/fetch.XXXXXX")
	if ! mvn -q -B dependency:copy -Dartifact="io.apicurio:apicurio-registry-app:$version:tar.gz:all" \
		-DoutputDirectory="$work" > "$work/log" 2>&1; then
		tail -n 5 "$work/log" >&2
		rm -rf "$work"
		die $skip "Apicurio $version could not be fetched"
	fi
	mkdir "$work/home"
	tar -xzf "$work/apicurio-registry-app-$version-all.tar.gz" -C "$work/home"
	mv "$work/home" "$home"
	rm -rf "$work"
	flock -u 9
}

start() {
	local port url tries=3
	command -v java > /dev/null || die $skip "java is not installed (package openjdk-17-jre-headless)"
	fetch
	mkdir -p "$dir"
	is_alive && die 1 "it runs already in $dir"
	port=${APICURIO_PORT:-$(free_port)}
	until run_server "$port" "$dir/log" java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dquarkus.http.host=127.0.0.1 \
		"-Dquarkus.http.port=$port" -Dquarkus.http.access-log.enabled=false \
		"-Dapicurio.datasource.url=jdbc:h2:file:$dir/schemas" -jar "$home/apicurio-registry-app-$version-runner.jar"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || die 1 "it ended while starting: $(why_it_ended "$dir/log")"
		port=$(free_port "$port")
	done
	url=http://127.0.0.1:$port/apis/ccompat/v7
	# Its own default is to take anything.
	curl -sS --fail --retry 20 --retry-all-errors --retry-delay 1 -X PUT "$url/config" -H 'Content-Type: application/json' \
		-d '{"compatibility":"FULL"}' > "$dir/config" || {
		stop_server
		die 1 "it does not answer"
	}
	echo "$url" | tee "$dir/url"
}

[ $# -eq 2 ] || die 2 "usage: apicurio.sh start|stop DIR"
act=$1
dir=$(realpath -m "$2")
cache=${SANDBOX_CACHE:-${BUILD_DIR:?apicurio: BUILD_DIR names the build folder}/cache}
home=$cache/apicurio-$version

case $act in
start) start ;;
stop) stop_server ;;
*) die 2 "unknown act: $act" ;;
esac
