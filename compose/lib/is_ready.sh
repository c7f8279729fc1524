#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Is the program that listens on this port of this machine ready? For health checks of containers, which have no curl.
#
#   is_ready.sh PORT [PATH]
set -euo pipefail
exec 3<> "/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.0\r\n\r\n' "${2:-/readyz}" >&3
read -r _ status _ <&3
[ "$status" = 200 ]
