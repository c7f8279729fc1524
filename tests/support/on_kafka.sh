#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs tests of tests/system on a real Apache Kafka in place of the embedded broker, one after the other, and those that have
# a real one of their own:
#
#   on_kafka.sh [TEST...]             by default all that are on the embedded broker otherwise
#   on_kafka.sh --brokers 3 [TEST...] on three brokers, of which one after the other is killed and started again meanwhile
#   on_kafka.sh --newest [TEST...]    with the programs and tests on the newest librdkafka (kafka_newest.sh)
#
# One line for each test: passed or FAILED, its name, seconds. Exit 77: what is needed cannot be had. Not part of tests/run: it
# takes a quarter of an hour and more.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export SOURCE_DIR=${SOURCE_DIR:-$(realpath "$here/../..")}
export BUILD_DIR=${BUILD_DIR:-$SOURCE_DIR/build}
kafka=$SOURCE_DIR/compose/lib/kafka_real.sh
brokers=1 newest=no tests=()

# Faults of the protocol can only be had from the embedded broker.
only_embedded=(test_kafka_trouble)
on_three=(test_kafka_cluster test_broker_loss test_clone test_kill test_two_consumers)
on_newest=(test_kafka_real test_clone_real_kafka test_kafka_bus test_kafka_group test_kafka_start test_kafka_reader test_clone)

usage() {
	echo 'usage: on_kafka.sh [--brokers 1|3] [--newest] [TEST...]' >&2
	exit 2
}

has_its_own() { # TEST
	grep -q KAFKA_REAL_MAIN "$SOURCE_DIR/tests/system/$1.c"
}

choose_tests() {
	local source name
	if [ "$brokers" = 3 ]; then
		tests=("${on_three[@]}")
	elif [ "$newest" = yes ]; then
		tests=("${on_newest[@]}")
	else
		for source in $(grep -lE 'KAFKA_SUITE\(|kafka_broker_start\(|installation_new\(|notifier_world_new\(' \
			"$SOURCE_DIR"/tests/system/*.c); do
			name=$(basename "$source" .c)
			[[ " ${only_embedded[*]} " == *" $name "* ]] || has_its_own "$name" || tests+=("$name")
		done
	fi
}

start_kafka() {
	local how=start
	[ "$brokers" = 1 ] || how=cluster
	export KAFKA_REAL_HEAP=${KAFKA_REAL_HEAP:-512m}
	"$kafka" $how "$folder/kafka" > /dev/null
}

# Two of three are enough for everything. A test that kills brokers itself would find two of them gone.
kill_brokers() {
	local n=0
	trap 'kill $! 2> /dev/null || true; exit 0' TERM
	while :; do
		sleep 12 &
		wait $!
		n=$((n % 3 + 1))
		kill -KILL "$(cat "$folder/kafka/$n/pid")" 2> /dev/null || true
		"$kafka" start "$folder/kafka" > /dev/null 2>> "$folder/killer"
		echo >> "$folder/kills"
	done
}

end_killer() {
	[ -n "$killer" ] || return 0
	kill "$killer" 2> /dev/null || true
	wait "$killer" || true
	killer=''
}

end_all() {
	end_killer
	"$kafka" stop "$folder/kafka"
	rm -rf "$folder"
}

run_test() { # TEST
	local begun=$SECONDS verdict=passed words
	killer=''
	: > "$folder/kills"
	if [ "$brokers" = 3 ] && ! has_its_own "$1" && ! grep -q '"down"' "$SOURCE_DIR/tests/system/$1.c"; then
		kill_brokers &
		killer=$!
	fi
	timeout 900 "$BUILD_DIR/tests/$1" > "$folder/log" 2>&1 || verdict=FAILED
	end_killer
	words=$(grep -oE 'Checks: .*|SKIPPED: .*' "$folder/log" | tail -n 1)
	[ ! -s "$folder/kills" ] || words+=", $(wc -l < "$folder/kills") brokers killed"
	printf '%-7s %-28s %4d s  %s\n' $verdict "$1" $((SECONDS - begun)) "$words"
	[ $verdict = FAILED ] || return 0
	grep -E ':[EF]:' "$folder/log" | sed "s|$SOURCE_DIR/||; s/^/        /" || true
	failed=$((failed + 1))
}

while [[ ${1:-} == --* ]]; do
	case $1 in
	--brokers)
		brokers=${2:-}
		[[ $brokers =~ ^[13]$ ]] || usage
		shift
		;;
	--newest) newest=yes ;;
	*) usage ;;
	esac
	shift
done
tests=("$@")
[ $# -gt 0 ] || choose_tests
if [ "$newest" = yes ]; then
	LD_LIBRARY_PATH=$("$here/kafka_newest.sh")
	export LD_LIBRARY_PATH
fi

folder=$(mktemp -d /tmp/on-kafka.XXXXXX)
killer=''
failed=0
trap end_all EXIT
export SANDBOX_TEST_CLUSTER=1
for test in "${tests[@]}"; do
	! has_its_own "$test" || run_test "$test"
done
for test in "${tests[@]}"; do
	has_its_own "$test" && continue
	[ -n "${SANDBOX_TEST_BROKER:-}" ] || start_kafka
	export SANDBOX_TEST_BROKER=$folder/kafka
	run_test "$test"
done
echo "$((${#tests[@]} - failed)) of ${#tests[@]} test programs passed on Apache Kafka"
[ "$failed" -eq 0 ]
