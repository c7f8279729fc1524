# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Plain processes of one folder: $folder/run/NAME holds "PID START-TIME", $folder/log/NAME.log what the process says.
# The start time proves that the number still belongs to the process we started, so nobody else's is ever ended.

start_time_of() { # PID
	sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | cut -d ' ' -f 20
}

# A process that ended but that nobody has waited for has a number still, but is not running.
is_running() { # NAME
	local pid started
	{ read -r pid started < "$folder/run/$1"; } 2> /dev/null || return 1
	[ -n "$started" ] && [ "$(start_time_of "$pid")" = "$started" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2> /dev/null
}

# In a session of its own: Ctrl-C in the terminal is for the script, which then stops all in order.
start_process() { # NAME PROGRAM [ARGUMENT...]
	local name=$1 pid
	shift
	mkdir -p "$folder/run" "$folder/log"
	setsid "$@" > "$folder/log/$name.log" 2>&1 < /dev/null 9>&- &
	pid=$!
	printf '%s %s\n' "$pid" "$(start_time_of "$pid")" > "$folder/run/$name"
}

stop_process() { # NAME [SECONDS] [SIGNAL]
	local pid tenths=$((${2:-10} * 10))
	if is_running "$1"; then
		read -r pid _ < "$folder/run/$1"
		kill -"${3:-TERM}" "$pid" 2> /dev/null || true
		while is_running "$1" && [ "$tenths" -gt 0 ]; do
			sleep 0.1
			tenths=$((tenths - 1))
		done
		! is_running "$1" || kill -KILL "$pid" 2> /dev/null || true
	fi
	rm -f "$folder/run/$1"
}

# As a loss of power would end it.
kill_process() { # NAME
	local pid
	is_running "$1" || return 1
	read -r pid _ < "$folder/run/$1"
	kill -KILL "$pid"
	while is_running "$1"; do
		sleep 0.05
	done
}

# Waits until COMMAND succeeds; a process that ends meanwhile, or takes too long, is told with the end of its log.
wait_for() { # NAME SECONDS COMMAND [ARGUMENT...]
	local name=$1 tenths=$(($2 * 20)) seconds=$2
	shift 2
	until "$@" > /dev/null 2>&1; do
		if ! is_running "$name"; then
			show_end_of "$folder/log/$name.log"
			die "$name ended while starting"
		fi
		if [ "$tenths" -le 0 ]; then
			show_end_of "$folder/log/$name.log"
			die "$name was not ready after $seconds s"
		fi
		sleep 0.05
		tenths=$((tenths - 1))
	done
}

port_is_free() { # PORT
	! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# The wanted port, which must be free; or without one the first free from FIRST on.
choose_port() { # WANTED FIRST
	local port
	if [ -n "$1" ]; then
		port_is_free "$1" || die "port $1 on 127.0.0.1 is in use by another program; free it, or name another with --port"
		printf '%s\n' "$1"
		return
	fi
	for ((port = $2; port < $2 + 100; port++)); do
		if port_is_free "$port"; then
			printf '%s\n' "$port"
			return
		fi
	done
	die "no free port from $2 to $(($2 + 99)) on 127.0.0.1; name one with --port"
}
