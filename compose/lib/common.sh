# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the commands of compose/ and tests/: talking to people. Sourced, never run.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\e[1m' plain=$'\e[0m'
else
	bold='' plain=''
fi

title() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

say() {
	printf '%s\n' "$*"
}

# One sentence that says what is wrong and what to do, on standard error.
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# The last lines of a log, without the noise around them, for a sentence before or after.
show_end_of() { # FILE [LINES]
	[ -s "$1" ] || return 0
	printf '  the last lines of %s:\n' "$1" >&2
	tail -n "${2:-5}" -- "$1" | cut -c 1-400 | sed 's/^/    /' >&2
}
