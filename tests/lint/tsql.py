# SPDX-License-Identifier: Apache-2.0
"""Reads T-SQL with sqlglot and sqlfluff; called by tsql.sh: PATTERN FOLDER-OR-FILE...

Sections are rendered as the adapter and the driver do (statements.c): comments go, {name} is an identifier in double
quotes, :name is the next parameter, @P1, @P2, ...; statements end at a semicolon, except in a section that is a block.
"""
import fnmatch
import logging
import pathlib
import re
import sys

import sqlglot
from sqlfluff.core import FluffConfig, Linter

logging.disable(logging.CRITICAL)  # what the parsers fall back to is told below

TOKEN = re.compile(
    r"""(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<space>--[^\n]*|/\*.*?\*/)|:(?P<value>[A-Za-z]\w*)"""
    r"""|\{(?P<name>\w+)\}|(?P<stop>;)|(?P<mark>\?)|(?P<other>.)""", re.S)

# What a parser does not know at all, by how the statement begins: the other one, or reading, must do.
COPY_OF = ('CREATE DATABASE "DATABASE" AS COPY OF',)
UNKNOWN = {
    "sqlglot": ("BACKUP DATABASE", "RESTORE ", "ALTER DATABASE", "DENY CONNECT", "REVOKE CONNECT", "SET IDENTITY_INSERT",
                *COPY_OF),
    "sqlfluff": ("BACKUP DATABASE", "RESTORE ", 'CREATE DATABASE "DATABASE" (EDITION', *COPY_OF),
}
# Must be refused by both: a check that finds nothing proves nothing.
BROKEN = ("SELECT a FROM", "SELECT a FROM t ORDR BY a b", "UPDATE SET a = 1", "INSERT INTO t (a VALUES (1)",
          "SELECT (1", "DELETE t WHERE WHERE a = 1")


def sections(path):
    name, lines = None, []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-- name:"):
            if name:
                yield name, "\n".join(lines)
            name, lines = line[8:].strip(), []
        elif name:
            lines.append(line)
    if name:
        yield name, "\n".join(lines)


def render(body):
    """The statements of a section, each with its parameters numbered from 1."""
    statements, now, count = [], [], 0
    is_block = False
    for m in TOKEN.finditer(body):
        if m["value"] or m["mark"]:
            count += 1
            now.append(f"@P{count}")
        elif m["name"]:
            now.append(f'"{m["name"]}"')
        elif m["space"]:
            now.append(" ")
        elif m["stop"] and not is_block:
            statements.append("".join(now).strip())
            now, count = [], 0
        else:
            now.append(m[0])
            is_block = is_block or re.match(r"\s*BEGIN\s$", "".join(now), re.I) is not None
    statements.append("".join(now).strip())
    return [s for s in statements if s]


def inside(statement):
    """What sqlglot is shown: the statements of a block one by one, without IF, which it passes on unread otherwise."""
    block = re.fullmatch(r"BEGIN\s(.*)END", statement, re.S | re.I)
    if not block:
        return [statement]
    return render(block[1])


def is_unknown(parser, statement):
    plain = re.sub(r"^IF .*?\n\s*(?=ALTER|DROP|CREATE)", "", statement, flags=re.S).upper()
    return plain.startswith(UNKNOWN[parser])


def faults_of_sqlglot(statement):
    for part in inside(statement):
        if is_unknown("sqlglot", part):
            continue
        try:
            for tree in sqlglot.parse(part, dialect="tsql"):
                command = tree and tree.find(sqlglot.exp.Command)
                if command:
                    yield "passes on unread: " + part[:60]
        except sqlglot.errors.SqlglotError as e:
            yield re.sub(r"\x1b\[[0-9;]*m", "", str(e)).splitlines()[0]


def faults_of_sqlfluff(linter, statement):
    if not is_unknown("sqlfluff", statement):
        for violation in linter.parse_string(statement + "\n").violations:
            yield str(violation)[:200]


def main(pattern, *places):
    linter = Linter(config=FluffConfig(overrides={"dialect": "tsql", "templater": "raw"}))
    count = bad = 0
    for statement in BROKEN:
        for parser, found in ("sqlglot", faults_of_sqlglot(statement)), ("sqlfluff", faults_of_sqlfluff(linter, statement)):
            if not list(found):
                print(f"{parser} does not refuse: {statement}")
                bad += 1
    files = [f for p in map(pathlib.Path, places) for f in ([p] if p.is_file() else sorted(p.glob("*.sql")))]
    for file in files:
        if not fnmatch.fnmatch(file.name, pattern):
            continue
        for name, body in sections(file):
            for statement in render(body):
                count += 1
                for parser, found in ("sqlglot", faults_of_sqlglot(statement)), ("sqlfluff", faults_of_sqlfluff(linter, statement)):
                    for fault in found:
                        print(f"{file}: {name}: {parser}: {fault}")
                        bad += 1
    if count == 0:
        print("there is no T-SQL to read")
        bad += 1
    return bad == 0


sys.exit(0 if main(*sys.argv[1:]) else 1)
