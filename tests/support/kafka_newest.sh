#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints a folder for LD_LIBRARY_PATH with the newest librdkafka, which Confluent's Python client brings along (kafka_python.sh).
# Exit 77 when it cannot be had.
set -euo pipefail
client=$("$(dirname "$0")/../../compose/lib/kafka_python.sh") || exit 77
library=$(find "$client/confluent_kafka.libs" -name 'librdkafka-*.so.1' -print -quit)
[ -n "$library" ] && ! ldd "$library" 2>&1 | grep -q 'not found' || exit 77
mkdir -p "$client/newest"
ln -sfn "$library" "$client/newest/librdkafka.so.1"
printf '%s\n' "$client/newest"
