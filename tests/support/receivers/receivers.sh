#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Partners' programs: the samples of docs/partners.md as they stand there, with the public libraries they name.
#
#   receivers.sh LANGUAGE DIR [CASE...] puts the sample of python, javascript, go or java into DIR and hands it the cases,
#                                       each a folder; a line for each: "NAME accepted" or "NAME refused WHY".
#                                       Without a case all is fetched and built
#
# Libraries are fetched once into $SANDBOX_CACHE (default: cache/ in the build folder $BUILD_DIR). Exit 77, and a sentence
# on the standard error: the language or its libraries cannot be had here.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
page=$here/../../../docs/partners.md
skip=77

absent() {
	echo "$1" >&2
	exit $skip
}

# All blocks of that language, in their order.
sample() { # LANGUAGE
	awk -v begin="\`\`\`$1" '$0 == begin { inside = 1; next } /^```/ { inside = 0 } inside' "$page"
}

# Several tests may want the same: one fetches, the others wait. What is there is whole.
fetch_once() { # NAME COMMAND... (run with the folder to fill as its last word)
	local name=$1 work why
	shift
	[ ! -d "$cache/$name" ] || return 0
	mkdir -p "$cache"
	exec 9> "$cache/$name.lock"
	flock 9
	if [ ! -d "$cache/$name" ]; then
		work=$(mktemp -d "$cache/fetch.XXXXXX")
		if ! "$@" "$work/got" > "$work/log" 2>&1; then
			why=$(tail -n 1 "$work/log")
			rm -rf "$work"
			absent "$name could not be fetched: $why"
		fi
		mv "$work/got" "$cache/$name"
		rm -rf "$work"
	fi
	flock -u 9
}

run_python() {
	local libraries=(standardwebhooks==1.1.0 'PyJWT[crypto]==2.15.1')
	command -v python3 > /dev/null || absent "python3 is not installed"
	python3 -m pip --version > /dev/null 2>&1 || absent "pip is not installed (package python3-pip)"
	fetch_once python-webhooks-1 python3 -m pip -q --disable-pip-version-check install --no-cache-dir "${libraries[@]}" --target
	sample python > "$dir/sample.py"
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$cache/python-webhooks-1:$dir python3 "$here/receiver.py" "$@"
}

run_javascript() {
	command -v node > /dev/null || absent "node is not installed"
	[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ] || absent "node is older than 18"
	sample javascript > "$dir/sample.mjs"
	cp "$here/receiver.mjs" "$dir"
	node "$dir/receiver.mjs" "$@"
}

run_go() {
	command -v go > /dev/null || absent "go is not installed"
	sample go > "$dir/sample.go"
	cp "$here/receiver.go" "$dir"
	(cd "$dir" && GO111MODULE=off GOFLAGS='' GOCACHE=$cache/go GOTOOLCHAIN=local go build -p 2 -o receiver sample.go receiver.go)
	"$dir/receiver" "$@"
}

fetch_jar() { # FOLDER
	mvn -q -B dependency:copy -Dartifact=com.nimbusds:nimbus-jose-jwt:10.0.2 "-DoutputDirectory=$1"
}

run_java() {
	command -v javac > /dev/null || absent "javac is not installed"
	command -v mvn > /dev/null || absent "mvn is not installed"
	fetch_once java-jwt-1 fetch_jar
	sample java > "$dir/Notices.java"
	javac -nowarn -cp "$cache/java-jwt-1/*" -d "$dir" "$dir/Notices.java" "$here/Receiver.java"
	java -XX:TieredStopAtLevel=1 -cp "$cache/java-jwt-1/*:$dir" Receiver "$@"
}

[ $# -ge 2 ] || { echo "usage: receivers.sh LANGUAGE DIR [CASE...]" >&2; exit 2; }
language=$1
mkdir -p "$2"
dir=$(realpath "$2")
shift 2
cache=${SANDBOX_CACHE:-${BUILD_DIR:?receivers: BUILD_DIR names the build folder}/cache}

case $language in
python) run_python "$@" ;;
javascript) run_javascript "$@" ;;
go) run_go "$@" ;;
java) run_java "$@" ;;
*) echo "unknown language: $language" >&2 && exit 2 ;;
esac
