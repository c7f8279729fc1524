#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# compose.yaml and the container file, which cannot be run where the tests are: docker-compose understands the one, the other
# has exact versions, a last stage without root, and the libraries that our programs are linked with.
#
#   compose.sh [ROOT]
set -euo pipefail
root=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BUILD_DIR:-$root/build}
cd "$root"
faults=0
containerfile=compose/Containerfile
programs=(sandbox-consumer sandbox-notifier sandbox-tenant sandboxctl)

fault() {
	printf '%s\n' "$1"
	faults=$((faults + 1))
}

# ---- what is installed runs, and is built ----

installed=$(sed -n 's/^install(TARGETS \(.*\) RUNTIME.*/\1/p' consumer/programs/CMakeLists.txt)
[ "$installed" = "${programs[*]}" ] || fault "installed are $installed, but looked for are ${programs[*]}"
for program in "${programs[@]}" sandbox-stubs sandbox-seed; do
	grep -qw -- "$program" "$containerfile" || fault "$containerfile does not build $program"
done

# ---- the container file ----

while read -r image; do
	[[ $image =~ :[0-9]+\.[0-9]+ ]] || fault "$containerfile: the image $image has no exact version"
done < <(awk '$1 == "FROM" && $2 ~ /\// { print $2 }' "$containerfile")
stage=$(awk '$1 == "FROM" { name = $2 } END { print name }' "$containerfile")
user=$(awk -v stage="$stage" '$1 == "FROM" { at = $4 } $1 == "USER" && at == stage { print $2 }' "$containerfile" | tail -n 1)
case $user in
'' | 0 | 0:* | root*) fault "$containerfile: the last stage runs as root" ;;
esac
runtime=$(awk '$1 == "FROM" { at = $4 } at == "runtime"' "$containerfile" |
	sed -n '/install -y/,/rm -rf/p' | grep -oE '\b[a-z][a-z0-9.+-]+\b' | sort -u)
! grep -E -- '-dev$|^gcc|^cmake$|^ninja' <<< "$runtime" || fault "$containerfile: the last stage has tools to build with"
if command -v dpkg-query readelf > /dev/null && [ -x "$build/consumer/programs/sandbox-consumer" ]; then
	while read -r library; do
		package=$(dpkg-query -S "*/$library" 2> /dev/null | sed -n '1s/[:,].*//p')
		[ "$package" = libc6 ] || grep -qxF -- "$package" <<< "$runtime" ||
			fault "$containerfile: the last stage lacks ${package:-the package} with $library"
	done < <(for program in "${programs[@]}"; do readelf -d "$build/consumer/programs/$program"; done |
		sed -n 's/.*(NEEDED).*\[\(lib[^]]*\)\].*/\1/p' | grep -v san | sort -u)
	"$build/consumer/programs/sandboxctl" --config compose/container.ini config show > /dev/null ||
		fault 'compose/container.ini is no configuration of ours'
fi

# ---- the same rights are documented and given ----

while IFS= read -r line; do
	grep -qxF -- "$line" docs/redis.md || fault "docs/redis.md does not have: $line"
done < compose/redis/users.acl

# ---- compose.yaml ----

[ "$faults" -eq 0 ] || exit 1
if ! command -v docker-compose > /dev/null; then
	echo 'docker-compose is not installed, so compose.yaml was not looked at'
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! SANDBOX_USER=10001:10001 SANDBOX_SECRETS=/nowhere docker-compose -f compose/compose.yaml --profile tools config \
	> "$work/seen" 2> "$work/said"; then
	cat "$work/said"
	exit 1
fi
/usr/bin/python3 tests/lint/compose.py sandbox-consumer sandbox-notifier sandbox-tenant sandboxctl sandbox-stubs < "$work/seen"
