# SPDX-License-Identifier: Apache-2.0
# Servers of others, started on a port of their own and stopped by process id. Sourced; $dir/pid names the process.
# shellcheck shell=bash
. "${BASH_SOURCE[0]%/*}/process.sh"

# Below the ports that connections get for themselves: one of those is taken again before the server has it.
free_port() { # [OTHER]
	local port
	for _ in $(seq 100); do
		port=$((RANDOM % 12000 + 20000))
		if [ "$port" != "${1:-}" ] && port_is_free "$port"; then
			echo "$port"
			return
		fi
	done
	die 1 "no free port was found"
}

# A process that ended but that nobody has waited for is not alive, though it still has its number.
is_alive() {
	local pid
	[ -f "$dir/pid" ] || return 1
	pid=$(cat "$dir/pid")
	kill -0 "$pid" 2> /dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2> /dev/null
}

# A session of its own: who ends a test's process group must not end the server with it.
spawn_server() { # LOG COMMAND...
	local log=$1
	shift
	setsid "$@" > "$log" 2>&1 9>&- < /dev/null &
	echo $! > "$dir/pid"
}

# False when it ended: somebody else may have taken its port.
await_server() { # PORT
	for _ in $(seq 600); do
		is_alive || return 1
		port_is_free "$1" || return 0
		sleep 0.1
	done
	die 1 "it did not open its port"
}

run_server() { # PORT LOG COMMAND...
	local port=$1
	shift
	spawn_server "$@"
	await_server "$port"
}

# What a stack trace was about stands at its beginning.
why_it_ended() { # LOG
	grep -m 1 -E 'Exception|Error|ERROR|FATAL' "$1" || tail -n 1 "$1"
}

stop_server() {
	is_alive || return 0
	kill "$(cat "$dir/pid")"
	for _ in $(seq 100); do
		is_alive || break
		sleep 0.1
	done
	if is_alive; then
		kill -KILL "$(cat "$dir/pid")"
	fi
	rm -f "$dir/pid"
}
