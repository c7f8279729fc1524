# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Blobs of a container, by curl alone: $blobs_url is the container's URL, $blobs_sas a SAS for it. Sourced, never run.

# A SAS of the account for all of its blobs, for 30 days. The key is in base64.
make_sas() { # ACCOUNT KEY-FILE
	local ends key query signature
	ends=$(date -u -d '+30 days' +%Y-%m-%dT%H:%M:%SZ)
	key=$(base64 -d < "$2" | od -An -v -tx1 | tr -d ' \n')
	signature=$(printf '%s\nrwdlacup\nb\nsco\n\n%s\n\n\n2021-12-02\n\n' "$1" "$ends" |
		openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 -w 0 | jq -sRr @uri)
	query="sv=2021-12-02&ss=b&srt=sco&sp=rwdlacup&se=${ends//:/%3A}"
	printf '%s&sig=%s' "$query" "$signature"
}

# The SAS is not for who lists the processes of this machine.
ask_service() { # QUERY [OPTION...]
	local query=$1
	shift
	curl -fsS "$@" -K - <<< "url = \"$blobs_url$query&$blobs_sas\""
}

make_container() {
	ask_service '?restype=container' -X PUT -H 'Content-Length: 0'
}

# Many requests at a time; what each of them is, curl reads from its standard input.
run_curl() {
	curl --parallel --parallel-max 16 --fail-early -sS --no-progress-meter -K -
}

# A path is part of a URL, and of a line in quotes.
transfers() { # JQ-PROGRAM-FOR-ONE-PATH
	jq -rR --arg url "$blobs_url" --arg sas "$blobs_sas" --arg from "$1" \
		'. as $path | (split("/") | map(@uri) | join("/")) as $part | '"$2"' + "\nfail\nnext"' | sed '$d'
}

put_folder() { # FOLDER ROOT: FOLDER/ROOT/... become the blobs ROOT/...
	(cd "$1" && find "$2" -type f) | transfers "$1" '"url = \($url + "/" + $part + "?" + $sas | tojson)
upload-file = \($from + "/" + $path | tojson)
header = \"x-ms-blob-type: BlockBlob\""' | run_curl > /dev/null
}

list_blobs() { # PREFIX
	local page marker=''
	while :; do
		page=$(ask_service "?restype=container&comp=list&maxresults=5000&prefix=$(jq -rn --arg p "$1" '$p | @uri')&marker=$marker")
		grep -oP '(?<=<Name>)[^<]*' <<< "$page" | sed -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&quot;/"/g' -e "s/&apos;/'/g" \
			-e 's/&amp;/\&/g' || true
		marker=$(grep -oP '(?<=<NextMarker>)[^<]*' <<< "$page" | jq -rR @uri || true)
		[ -n "$marker" ] || break
	done
}

get_folder() { # ROOT FOLDER: the blobs ROOT/... become FOLDER/ROOT/...
	mkdir -p "$2/$1"
	list_blobs "$1/" | transfers "$2" '"url = \($url + "/" + $part + "?" + $sas | tojson)
create-dirs
output = \($from + "/" + $path | tojson)"' | run_curl
}
