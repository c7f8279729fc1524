#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Brings a customer that sandbox-seed made, a SQLite file, into an empty database of PostgreSQL: tables, rows, indexes and
# views, in one transaction. The server and the user are those of PGHOST, PGPORT, PGUSER.
#
#   to_postgres.sh FILE DATABASE
set -euo pipefail
[ $# -eq 2 ] || {
	echo 'usage: to_postgres.sh FILE DATABASE' >&2
	exit 2
}
file=$1 database=$2

ask() { # SQL
	sqlite3 -batch -noheader "file:$file?mode=ro" "$1"
}

# The types' names of PostgreSQL, and quoted names in lower case, as it keeps those without quotes.
definitions() { # KIND
	ask "SELECT sql || ';' FROM sqlite_master WHERE type = '$1' AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'" |
		sed -E -e 's/nvarchar\(max\)/text/g' -e 's/varbinary(\(max\))?/bytea/g' -e 's/nvarchar\(/varchar(/g' \
			-e 's/nvarchar/text/g' -e 's/ datetime/ timestamp/g' -e 's/"([^"]*)"/"\L\1"/g'
}

# A question for each table whose answer is what COPY reads: NULL as \N, a BLOB in hexadecimal, the rest escaped.
questions() {
	ask "SELECT 'SELECT ''COPY \"' || lower(m.name) || '\" FROM stdin;''; SELECT ' ||
			(SELECT group_concat('CASE typeof(' || x.c || ') WHEN ''null'' THEN ''\\N'' WHEN ''blob'' THEN ''\\\\x'' || hex(' || x.c ||
				') ELSE replace(replace(replace(replace(' || x.c || ', ''\\'', ''\\\\''), char(9), ''\\t''), char(10), ''\\n''),' ||
				' char(13), ''\\r'') END', ' || char(9) || ')
			 FROM (SELECT '\"' || name || '\"' AS c FROM pragma_table_xinfo(m.name) ORDER BY cid) AS x) ||
			' FROM \"' || m.name || '\"; SELECT ''\\.'';'
		FROM sqlite_master AS m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
}

rows() {
	questions | sqlite3 -batch -noheader "file:$file?mode=ro"
}

{
	definitions table
	rows
	definitions index
	definitions view
} | psql -X -q -1 -v ON_ERROR_STOP=1 -d "$database" -f - > /dev/null
