# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Building with CMake, quietly unless it fails.

# Builds TARGET... (everything when none is named) with a preset of CMakePresets.json, or in the folder of $BUILD_DIR.
build_targets() { # ROOT PRESET [TARGET...]
	local root=$1 preset=$2 folder log targets=()
	shift 2
	folder=$(build_folder "$root" "$preset")
	log=$folder/build.log
	mkdir -p "$folder"
	[ $# -eq 0 ] || targets=(--target "$@")
	if ! (cd "$root" && cmake --preset "$preset" -B "$folder") > "$log" 2>&1; then
		show_end_of "$log" 15
		die "cmake could not prepare $folder"
	fi
	if ! cmake --build "$folder" "${targets[@]}" >> "$log" 2>&1; then
		grep -E -A 6 'error:|FAILED:|undefined reference' "$log" | head -n 30 >&2 || true
		die "the build failed; all of it is in $log"
	fi
}

build_folder() { # ROOT PRESET
	if [ "$2" = default ]; then
		printf '%s\n' "${BUILD_DIR:-$1/build}"
	else
		printf '%s\n' "${BUILD_DIR:-$1/build}-$2"
	fi
}
