#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real Apache Kafka of one node, for compose/up --real, tests and benchmarks.
#
#   kafka_real.sh start DIR [KEY=VALUE...]   starts it in DIR (made when missing), prints its bootstrap address;
#                                            the pairs are added to the server's properties; $KAFKA_REAL_PORT
#                                            is its port when it is new (a free one)
#   kafka_real.sh stop DIR                   stops it; the data stays in DIR, and start goes on with them
#
# The jars are fetched once by Maven into $SANDBOX_CACHE (default: cache/ in the build folder $BUILD_DIR); later starts need no
# network. Exit 77: Java 17 or Maven is missing, or the jars cannot be fetched, so a test that needs them is skipped.
set -eu
. "$(dirname "$0")/server.sh"

version=4.4.0
skip=77
kafka_heap=${KAFKA_REAL_HEAP:-256m}

die() {
	echo "kafka_real: $2" >&2
	exit "$1"
}

need_java() {
	local major
	command -v java > /dev/null || die $skip "java is not installed (package openjdk-17-jre-headless)"
	major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
	[ "${major:-0}" -ge 17 ] || die $skip "Java 17 or newer is needed, this is ${major:-unknown}"
}

# Several tests may want the jars at once: one fetches, the others wait.
fetch_jars() {
	local work
	[ -d "$libs" ] && return
	command -v mvn > /dev/null || die $skip "the jars of Kafka $version are not in $cache and mvn is not installed"
	mkdir -p "$cache"
	exec 9> "$cache/kafka.lock"
	flock 9
	[ -d "$libs" ] && return
	work=$(mktemp -d "$cache/fetch.XXXXXX")
	cat > "$work/pom.xml" <<- POM
		<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
		 <groupId>sandbox-clone</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
		 <dependencies>
		  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$version</version></dependency>
		  <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.5</version></dependency>
		 </dependencies></project>
	POM
	if ! mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/libs" > "$work/log" 2>&1; then
		tail -n 5 "$work/log" >&2
		rm -rf "$work"
		die $skip "the jars of Kafka $version could not be fetched"
	fi
	mv "$work/libs" "$libs"
	rm -rf "$work"
	flock -u 9
}

write_properties() {
	local port controller
	port=${KAFKA_REAL_PORT:-$(free_port)}
	controller=$(free_port "$port")
	cat > "$dir/server.properties" <<- CONF
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$controller
		listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
		advertised.listeners=PLAINTEXT://127.0.0.1:$port
		controller.listener.names=CONTROLLER
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
		log.dirs=$dir/data
		auto.create.topics.enable=false
		offsets.topic.replication.factor=1
		offsets.topic.num.partitions=4
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		transaction.state.log.num.partitions=4
		share.coordinator.state.topic.replication.factor=1
		share.coordinator.state.topic.min.isr=1
		group.initial.rebalance.delay.ms=0
		broker.session.timeout.ms=2000
		broker.heartbeat.interval.ms=500
	CONF
	cat > "$dir/log4j2.properties" <<- CONF
		rootLogger.level=WARN
		rootLogger.appenderRef.x.ref=console
		appender.x.type=Console
		appender.x.name=console
		appender.x.layout.type=PatternLayout
		appender.x.layout.pattern=%d %p %m (%c)%n
	CONF
	echo "127.0.0.1:$port" > "$dir/bootstrap"
}

format() {
	local id
	# One that begins with - would be taken for an option.
	id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'A_' | tr -d '=')
	"${jvm[@]}" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" > "$dir/format.log" 2>&1 ||
		die 1 "the data folder could not be formatted: $(tail -n 1 "$dir/format.log")"
}

begin_new() { # [KEY=VALUE...]
	write_properties
	[ $# -eq 0 ] || printf '%s\n' "$@" >> "$dir/server.properties"
	format
}

start() {
	local tries=1
	need_java
	fetch_jars
	mkdir -p "$dir"
	is_alive && die 1 "it runs already in $dir"
	if [ ! -f "$dir/bootstrap" ]; then
		begin_new "$@"
		tries=3
	fi
	until run_server "$(sed 's/.*://' "$dir/bootstrap")" "$dir/broker.log" "${jvm[@]}" kafka.Kafka "$dir/server.properties"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || die 1 "the broker ended while starting: $(why_it_ended "$dir/broker.log")"
		rm -rf "$dir/data"
		begin_new "$@"
	done
	SANDBOX_KAFKA__BOOTSTRAP_SERVERS=$(cat "$dir/bootstrap") "$build/consumer/programs/sandboxctl" topics apply > "$dir/topics" 2>&1 || {
		kill "$(cat "$dir/pid")"
		die 1 "the topics could not be made: $(tail -n 1 "$dir/topics")"
	}
	cat "$dir/bootstrap"
}

[ $# -ge 2 ] || die 2 "usage: kafka_real.sh start DIR [KEY=VALUE...] | stop DIR"
act=$1
dir=$(realpath -m "$2")
shift 2
build=${BUILD_DIR:?kafka_real: BUILD_DIR names the build folder}
cache=${SANDBOX_CACHE:-$build/cache}
libs=$cache/kafka-$version
jvm=(java -Xms64m "-Xmx$kafka_heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1
	"-Dlog4j2.configurationFile=$dir/log4j2.properties" -cp "$libs/*")

case $act in
start) start "$@" ;;
stop) stop_server ;;
*) die 2 "unknown act: $act" ;;
esac
