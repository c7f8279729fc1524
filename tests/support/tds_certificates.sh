#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes certificates that live for a day, each as NAME.pem with its key: ca.pem (the certificate alone), good of that CA,
# elsewhere of it for another host, self of nobody but itself.
#
#   tds_certificates.sh FOLDER
set -euo pipefail
cd "$1"

new_key() { # NAME
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
}

new_signed() { # NAME HOST
	new_key "$1"
	openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out "$1.crt" \
		-extfile <(printf 'subjectAltName=DNS:%s\n' "$2") 2> "$1.log"
	cat "$1.key" "$1.crt" > "$1.pem"
}

new_key ca
openssl req -x509 -new -key ca.key -days 1 -subj /CN=ca -out ca.pem
new_signed good localhost
new_signed elsewhere sql.example
new_key self
openssl req -x509 -new -key self.key -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost -out self.crt
cat self.key self.crt > self.pem
