# SPDX-License-Identifier: Apache-2.0
# What kafka_real.sh gives a broker that proves who it is and asks its clients to do so: certificates that live for a day, and
# listeners that each show one thing. Sourced; $dir is the broker's folder.
# shellcheck shell=bash disable=SC2154

# SCRAM: a login by SCRAM-SHA-512 or PLAIN. MTLS: a certificate of the client. EXPIRED, ELSEWHERE: a certificate that is out of
# date, or of another host.
secure_listeners=(SCRAM MTLS EXPIRED ELSEWHERE)
secure_user=sandbox

new_key() { # NAME
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/tls/$1.key"
}

new_ca() { # NAME
	new_key "$1"
	openssl req -x509 -new -key "$dir/tls/$1.key" -days 1 -subj "/CN=$1" -out "$dir/tls/$1.pem"
}

# A certificate of that CA, with its key before it, as Kafka wants it.
new_certificate() { # NAME ALTERNATIVE-NAMES DAYS [CA]
	local name=$dir/tls/$1 ca=$dir/tls/${4:-ca}
	new_key "$1"
	openssl req -new -key "$name.key" -subj "/CN=$1" -out "$name.csr"
	openssl x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca.key" -days "$3" -out "$name.crt" \
		-extfile <(printf 'subjectAltName=%s\n' "$2") 2> "$name.log"
	cat "$name.key" "$name.crt" > "$name.pem"
}

# Passwords are made, and only stand in files: a test looks for them where they must not be.
new_secret() { # NAME
	(umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' 'xy' > "$dir/tls/$1")
}

make_identities() {
	mkdir -p "$dir/tls"
	new_ca ca
	new_ca stranger
	new_certificate broker "DNS:localhost,IP:127.0.0.1" 1
	new_certificate expired "DNS:localhost,IP:127.0.0.1" -1
	new_certificate elsewhere "DNS:kafka.example" 1
	new_certificate client "DNS:client" 1
	new_certificate foreign "DNS:client" 1 stranger
	new_secret password
	new_secret key-password
	openssl pkcs8 -topk8 -in "$dir/tls/client.key" -passout "file:$dir/tls/key-password" -out "$dir/tls/client-locked.key"
}

# The port of each is said in the file "listeners".
write_secure_listeners() {
	local name port listeners='' protocols='' chain
	for name in "${secure_listeners[@]}"; do
		port=$(free_port)
		echo "$name 127.0.0.1:$port" >> "$dir/listeners"
		listeners+=",$name://127.0.0.1:$port"
		protocols+=",$name:$([ "$name" = SCRAM ] && echo SASL_SSL || echo SSL)"
	done
	sed -i "/listeners=PLAINTEXT:/s|\$|$listeners|; /^listener.security.protocol.map=/s|\$|$protocols|" "$dir/server.properties"
	for name in scram:broker mtls:broker expired:expired elsewhere:elsewhere; do
		chain=$dir/tls/${name#*:}.pem
		name=listener.name.${name%:*}
		cat <<- CONF
			$name.ssl.keystore.type=PEM
			$name.ssl.keystore.location=$chain
			$name.ssl.truststore.type=PEM
			$name.ssl.truststore.location=$dir/tls/ca.pem
		CONF
	done >> "$dir/server.properties"
	cat <<- CONF >> "$dir/server.properties"
		listener.name.mtls.ssl.client.auth=required
		listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
		listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
		listener.name.scram.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_$secure_user="$(cat "$dir/tls/password")";
	CONF
}
