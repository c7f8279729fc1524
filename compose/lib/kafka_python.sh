#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the folder of Confluent's Python client with all that its Avro serializers need, for PYTHONPATH.
#
# It comes once by pip and is kept in $SANDBOX_CACHE (default: cache/ in the build folder $BUILD_DIR). Exit 77 when it cannot
# be had.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${SANDBOX_CACHE:-${BUILD_DIR:-$root/build}/cache}
version=2.16.1
folder=$cache/confluent-kafka-$version

if [ ! -d "$folder" ]; then
	mkdir -p "$cache"
	exec 9> "$cache/confluent-kafka.lock"
	flock 9
	if [ ! -d "$folder" ]; then
		rm -rf "$folder.part"
		python3 -m pip install -q --disable-pip-version-check --target "$folder.part" "confluent-kafka==$version" \
			attrs==26.1.0 cachetools==8.0.1 httpx==0.28.1 authlib==1.9.9 fastavro==1.13.1 typing-extensions==4.16.0 \
			orjson==3.13.0 > "$cache/confluent-kafka.log" 2>&1 || exit 77
		mv "$folder.part" "$folder"
	fi
	flock -u 9
fi
PYTHONPATH=$folder python3 -c 'import confluent_kafka.schema_registry.avro' 2> /dev/null || exit 77
printf '%s\n' "$folder"
