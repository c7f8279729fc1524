#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real Apache Kafka, for compose/up --real, tests and benchmarks.
#
#   kafka_real.sh start DIR [KEY=VALUE...]   starts one broker in DIR (made when missing), prints its bootstrap address;
#                                            the pairs are added to the server's properties; $KAFKA_REAL_PORT
#                                            is its port when it is new (a free one)
#   kafka_real.sh cluster DIR [KEY=VALUE...] the same with three brokers, in DIR/1 to DIR/3, and three replicas of everything
#   kafka_real.sh secure DIR [KEY=VALUE...]  one broker that has listeners with TLS, too: see kafka_secure.sh
#   kafka_real.sh stop DIR                   stops what runs in DIR; the data stays, and start goes on with it: of a cluster,
#                                            with those brokers that do not run
#
# The jars are fetched once by Maven into $SANDBOX_CACHE (default: cache/ in the build folder $BUILD_DIR); later starts need no
# network. Exit 77: Java 17 or Maven is missing, or the jars cannot be fetched, so a test that needs them is skipped.
set -eu
. "$(dirname "$0")/server.sh"
. "$(dirname "$0")/kafka_secure.sh"

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

# $dir/controller has the port of its controller, $dir/bootstrap the address of its broker.
choose_ports() { # [PORT]
	local port
	port=${1:-$(free_port)}
	free_port "$port" > "$dir/controller"
	echo "127.0.0.1:$port" > "$dir/bootstrap"
	rm -f "$dir/listeners"
}

write_properties() { # NODE VOTERS REPLICAS IN-SYNC
	cat > "$dir/server.properties" <<- CONF
		process.roles=broker,controller
		node.id=$1
		controller.quorum.voters=$2
		listeners=PLAINTEXT://$(cat "$dir/bootstrap"),CONTROLLER://127.0.0.1:$(cat "$dir/controller")
		advertised.listeners=PLAINTEXT://$(cat "$dir/bootstrap")
		controller.listener.names=CONTROLLER
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
		log.dirs=$dir/data
		auto.create.topics.enable=false
		offsets.topic.replication.factor=$3
		offsets.topic.num.partitions=4
		transaction.state.log.replication.factor=$3
		transaction.state.log.min.isr=$4
		transaction.state.log.num.partitions=4
		share.coordinator.state.topic.replication.factor=$3
		share.coordinator.state.topic.min.isr=$4
		group.initial.rebalance.delay.ms=0
		group.min.session.timeout.ms=1000
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
}

# One that begins with - would be taken for an option.
new_id() {
	head -c 16 /dev/urandom | base64 | tr '+/' 'A_' | tr -d '='
}

format() { # [OPTION...]
	"${jvm[@]}" "-Dlog4j2.configurationFile=$dir/log4j2.properties" kafka.tools.StorageTool format -t "$(new_id)" \
		-c "$dir/server.properties" "$@" > "$dir/format.log" 2>&1 ||
		die 1 "the data folder could not be formatted: $(tail -n 1 "$dir/format.log")"
}

begin_new() { # [KEY=VALUE...]
	local more=()
	choose_ports "${KAFKA_REAL_PORT:-}"
	write_properties 1 "1@127.0.0.1:$(cat "$dir/controller")" 1 1
	if [ "$act" = secure ]; then
		make_identities
		write_secure_listeners
		more=(--add-scram "SCRAM-SHA-512=[name=$secure_user,password=$(cat "$dir/tls/password")]")
	fi
	[ $# -eq 0 ] || printf '%s\n' "$@" >> "$dir/server.properties"
	format "${more[@]}"
}

spawn_broker() {
	spawn_server "$dir/broker.log" "${jvm[@]}" "-Dlog4j2.configurationFile=$dir/log4j2.properties" kafka.Kafka \
		"$dir/server.properties"
}

await_broker() {
	await_server "$(sed 's/.*://' "$dir/bootstrap")"
}

make_topics() {
	SANDBOX_KAFKA__BOOTSTRAP_SERVERS=$(cat "$dir/bootstrap") "$build/consumer/programs/sandboxctl" topics apply > "$dir/topics" 2>&1 || {
		stop_all
		die 1 "the topics could not be made: $(tail -n 1 "$dir/topics")"
	}
}

start() { # [KEY=VALUE...]
	local tries=1
	is_alive && die 1 "it runs already in $dir"
	if [ ! -f "$dir/bootstrap" ]; then
		begin_new "$@"
		tries=3
	fi
	until spawn_broker && await_broker; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || die 1 "the broker ended while starting: $(why_it_ended "$dir/broker.log")"
		rm -rf "$dir/data"
		begin_new "$@"
	done
	make_topics
	cat "$dir/bootstrap"
}

# ---- three of them ----

in_each_node() { # COMMAND [ARGUMENT...]
	local whole=$dir n
	for n in 1 2 3; do
		dir=$whole/$n
		node=$n
		"$@" || {
			dir=$whole
			stop_all
			die 1 "broker $n ended while starting: $(why_it_ended "$dir/$n/broker.log")"
		}
	done
	dir=$whole
}

add_node() {
	mkdir -p "$dir"
	choose_ports
	voters+=${voters:+,}$node@127.0.0.1:$(cat "$dir/controller")
	brokers+=${brokers:+,}$(cat "$dir/bootstrap")
}

# One JVM formats for all: a data folder differs only by the names of node and folder.
write_node() { # [KEY=VALUE...]
	write_properties "$node" "$voters" 3 2
	printf '%s\n' default.replication.factor=3 min.insync.replicas=2 "$@" >> "$dir/server.properties"
	if [ "$node" = 1 ]; then
		format
		return
	fi
	cp -r "$dir/../1/data" "$dir/data"
	sed -i "s/^node.id=.*/node.id=$node/; s/^directory.id=.*/directory.id=$(new_id)/" "$dir/data/meta.properties"
}

start_cluster() { # [KEY=VALUE...]
	local node voters='' brokers=''
	[ ! -f "$dir/bootstrap" ] || die 1 "there is a cluster in $dir already"
	in_each_node add_node
	in_each_node write_node "$@"
	echo "$brokers" > "$dir/bootstrap"
	in_each_node spawn_broker
	in_each_node await_broker
	make_topics
	cat "$dir/bootstrap"
}

spawn_if_dead() {
	is_alive || spawn_broker
}

# One may have been killed, and another be starting it again.
start_cluster_again() {
	local node
	exec 9> "$dir/lock"
	flock 9
	in_each_node spawn_if_dead
	in_each_node await_broker
	cat "$dir/bootstrap"
}

stop_all() {
	local whole=$dir
	for dir in "$whole" "$whole"/[123]; do
		[ ! -d "$dir" ] || stop_server
	done
	dir=$whole
}

[ $# -ge 2 ] || die 2 "usage: kafka_real.sh start|cluster|secure DIR [KEY=VALUE...] | stop DIR"
act=$1
dir=$(realpath -m "$2")
shift 2
build=${BUILD_DIR:?kafka_real: BUILD_DIR names the build folder}
cache=${SANDBOX_CACHE:-$build/cache}
libs=$cache/kafka-$version
jvm=(java -Xms64m "-Xmx$kafka_heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$libs/*")

case $act in
start | secure | cluster)
	need_java
	fetch_jars
	mkdir -p "$dir"
	case $act in
	cluster) start_cluster "$@" ;;
	start) if [ -d "$dir/1" ]; then start_cluster_again; else start "$@"; fi ;;
	secure) start "$@" ;;
	esac
	;;
stop) stop_all ;;
*) die 2 "unknown act: $act" ;;
esac
