# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Debian packages: what is missing is installed, once; when nothing is missing nothing is asked of anybody.

packages_list=${BASH_SOURCE[0]%/*}/packages.txt

package_is_there() { # PACKAGE COMMAND
	if [ "$2" != - ] && command -v "$2" > /dev/null; then
		return 0
	fi
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

# Fills the array `missing` with the packages of the parts that are not there.
find_missing() { # PART...
	local part package command
	missing=()
	while read -r part package command; do
		case " $* " in
		*" $part "*) package_is_there "$package" "$command" || missing+=("$package") ;;
		esac
	done < <(grep -v '^#' "$packages_list")
}

install_packages() { # LOG PACKAGE...
	local log=$1
	shift
	export DEBIAN_FRONTEND=noninteractive
	say "Installing Debian packages: $*"
	if ! apt-get -q update > "$log" 2>&1; then
		show_end_of "$log" 3
		die "the lists of Debian packages could not be fetched; is there a network? Missing: $*"
	fi
	if ! apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 install "$@" >> "$log" 2>&1; then
		show_end_of "$log" 6
		die "apt-get could not install: $*"
	fi
}

# All packages of the parts are there when this returns.
need_packages() { # PART...
	local missing=() wanted log
	command -v dpkg-query > /dev/null || die "this is not Debian (no dpkg); install the packages of $packages_list by hand"
	find_missing "$@"
	[ ${#missing[@]} -gt 0 ] || return 0
	wanted=${missing[*]}
	if [ "$(id -u)" -ne 0 ]; then
		die "these Debian packages are missing, and only root may install them: apt-get install --no-install-recommends $wanted"
	fi
	log=$(mktemp "${TMPDIR:-/tmp}/sandbox-apt.XXXXXX")
	install_packages "$log" "${missing[@]}"
	rm -f "$log"
	find_missing "$@"
	[ ${#missing[@]} -eq 0 ] || die "still missing after apt-get: ${missing[*]}"
}
