#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs tests of tests/system on a real Apache Kafka in place of the embedded broker, one after the other: on_kafka.sh [TEST...],
# by default all that use a broker. Not part of tests/run, because it takes a quarter of an hour.
# Needs SOURCE_DIR and BUILD_DIR; with LIBRDKAFKA=newest the programs and tests run on that (kafka_newest.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export SOURCE_DIR=${SOURCE_DIR:-$(realpath "$here/../..")}
export BUILD_DIR=${BUILD_DIR:-$SOURCE_DIR/build}

# Faults of the protocol can only be had from the embedded broker.
only_embedded=(test_kafka_trouble)

tests=("$@")
if [ $# -eq 0 ]; then
	for source in $(grep -lE 'KAFKA_SUITE\(|kafka_broker_start\(|installation_new\(|notifier_world_new\(' "$SOURCE_DIR"/tests/system/*.c); do
		name=$(basename "$source" .c)
		[[ " ${only_embedded[*]} " == *" $name "* ]] || grep -q KAFKA_REAL_MAIN "$source" || tests+=("$name")
	done
fi

folder=$(mktemp -d /tmp/on-kafka.XXXXXX)
trap '"$SOURCE_DIR/compose/lib/kafka_real.sh" stop "$folder/kafka"; rm -rf "$folder"' EXIT
if [ "${LIBRDKAFKA:-}" = newest ]; then
	LD_LIBRARY_PATH=$("$here/kafka_newest.sh")
	export LD_LIBRARY_PATH
fi
export KAFKA_REAL_HEAP=${KAFKA_REAL_HEAP:-512m}
"$SOURCE_DIR/compose/lib/kafka_real.sh" start "$folder/kafka" > /dev/null
export SANDBOX_TEST_BROKER=$folder/kafka

failed=0
for test in "${tests[@]}"; do
	begun=$SECONDS
	if timeout 900 "$BUILD_DIR/tests/$test" > "$folder/log" 2>&1; then
		verdict=passed
	else
		verdict=FAILED
		failed=$((failed + 1))
	fi
	printf '%-7s %-28s %4d s  %s\n' "$verdict" "$test" $((SECONDS - begun)) "$(grep -o 'Checks: .*' "$folder/log" | tail -n 1)"
	[ $verdict = passed ] || grep -E ':[EF]:' "$folder/log" | sed "s|$SOURCE_DIR/||; s/^/        /" || true
done
echo "$((${#tests[@]} - failed)) of ${#tests[@]} test programs passed on Apache Kafka"
[ "$failed" -eq 0 ]
