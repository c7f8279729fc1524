# SPDX-License-Identifier: Apache-2.0
"""A scripted server of TDS 7.4: real ODBC drivers talk to it, and get the answers that a script gives.

  tds_server.py SCRIPT LOG [PEM]    listens on a free loopback port and prints it; ends when its input does

With PEM, a file of key and certificate, it encrypts where the client wants that; without, it says that it cannot.

SCRIPT is read again at each request: JSON, a list of rules {"match": regular expression, "times": how often (default: for
ever), "if": {name: value}, "set": {name: value}, "answer": [...]}; a rule with "if" fits only while the variables have these
values ("" at first), one with "set" gives them new ones, and one with "keep": name makes the request's parameters name.0, name.1 ...; the first rule that fits the statement, with its parameters as JSON behind it, answers. Statements of the driver's own transactions are called <BEGIN>,
<COMMIT> and <ROLLBACK>. What no rule fits succeeds with 0 rows. An answer is a list of

  {"columns": [["name", "int|bigint|nvarchar|max"], ...], "rows": [[...], ...]}     a cell {"is": name} is that variable
  {"count": N}                          a statement that changed N rows
  {"error": [number, severity, text]}
  {"info": [number, text]}              with "done": true as RAISERROR ... WITH NOWAIT sends it: a statement of its own
  {"sleep": seconds}                    sent so far arrives before it
  {"close": true}                       the connection is lost here

LOG gets one line of JSON for each request: its kind (login, tls, batch, rpc, transaction), text, parameters and database.
"""
import json
import re
import socket
import struct
import sys
import threading
import time

import tds_tls

BATCH, RPC, ATTENTION, TRANSACTION, LOGIN, PRELOGIN, REPLY = 1, 3, 6, 14, 16, 18, 4
EXECUTESQL, PREPARE, EXECUTE, PREPEXEC, UNPREPARE = 10, 11, 12, 13, 15
COLLATION = bytes((0x09, 0x04, 0xD0, 0x00, 0x34))  # Latin1_General, like a server that was just installed
MORE, FAILED, COUNTED, ATTENDED = 0x01, 0x02, 0x10, 0x20
ENCRYPT, CANNOT_ENCRYPT = 1, 2


def wide(text):
    return text.encode("utf-16-le")


def short_text(text):
    return bytes((len(wide(text)) // 2,)) + wide(text)


def long_text(text):
    return struct.pack("<H", len(wide(text)) // 2) + wide(text)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, layout):
        return struct.unpack("<" + layout, self.take(struct.calcsize(layout)))[0]

    def more(self):
        return self.at < len(self.data)


def read_parts(r):
    """A value of unknown length, in parts."""
    if r.number("Q") == 0xFFFFFFFFFFFFFFFF:
        return None
    parts = []
    while size := r.number("I"):
        parts.append(r.take(size))
    return b"".join(parts)


def read_value(r):
    kind = r.number("B")
    if kind in (0x26, 0x68, 0x6D):  # whole number, bit, float of some size
        r.number("B")
        data = r.take(r.number("B"))
        return int.from_bytes(data, "little", signed=True) if data else None
    if kind in (0x30, 0x34, 0x38, 0x7F):
        return int.from_bytes(r.take({0x30: 1, 0x34: 2, 0x38: 4, 0x7F: 8}[kind]), "little", signed=True)
    if kind in (0xE7, 0xEF, 0xA7, 0xAF, 0xA5, 0xAD):
        size = r.number("H")
        if kind not in (0xA5, 0xAD):
            r.take(5)
        if size == 0xFFFF:
            data = read_parts(r)
        else:
            length = r.number("H")
            data = None if length == 0xFFFF else r.take(length)
    elif kind in (0x63, 0x23):
        r.number("I")
        r.take(5)
        length = r.number("i")
        data = None if length < 0 else r.take(length)
    else:
        raise ValueError(f"a parameter has type {kind:#x}, which this server does not know")
    return data if data is None else data.decode("utf-16-le" if kind in (0xE7, 0xEF, 0x63) else "latin-1")


def read_parameters(r):
    values = []
    while r.more():
        r.take(r.number("B") * 2 + 1)
        values.append(read_value(r))
    return values


def column(kind, name):
    types = {"int": bytes((0x26, 4)), "bigint": bytes((0x26, 8)), "nvarchar": struct.pack("<BH", 0xE7, 8000) + COLLATION,
             "max": struct.pack("<BH", 0xE7, 0xFFFF) + COLLATION}
    return struct.pack("<IH", 0, 9) + types[kind] + short_text(name)


def value(kind, v):
    if kind in ("int", "bigint"):
        size = 4 if kind == "int" else 8
        return b"\0" if v is None else bytes((size,)) + int(v).to_bytes(size, "little", signed=True)
    if kind == "nvarchar":
        return b"\xff\xff" if v is None else struct.pack("<H", len(wide(v))) + wide(v)
    if v is None:
        return b"\xff" * 8
    data = wide(v)
    chunks = b"".join(struct.pack("<I", len(data[i:i + 2000])) + data[i:i + 2000] for i in range(0, len(data), 2000))
    return struct.pack("<Q", len(data)) + chunks + struct.pack("<I", 0)


def message(token, number, severity, text):
    body = struct.pack("<iBB", number, 1, severity) + long_text(text) + short_text("scripted") + short_text("") + \
        struct.pack("<i", 1)
    return struct.pack("<BH", token, len(body)) + body


def done(token, status, rows=0, command=0xC1):
    return struct.pack("<BHHQ", token, status, command, rows)


def change(kind, new, old=b"\0"):
    body = bytes((kind,)) + new + old
    return struct.pack("<BH", 0xE3, len(body)) + body


class Lost(Exception):
    pass


class Session:
    def __init__(self, sock, server):
        self.sock, self.server = sock, server
        self.out, self.packet = b"", 0
        self.transaction = 0
        self.prepared = {}
        self.database = ""

    def note(self, kind, text, values):
        self.server.note({"kind": kind, "text": text.strip(), "values": values, "database": self.database})

    # ---- packets ----

    def receive(self):
        kind, data = None, b""
        while True:
            head = self.exactly(8)
            kind, status, size = head[0], head[1], struct.unpack(">H", head[2:4])[0]
            data += self.exactly(size - 8)
            if status & 1:
                return kind, data

    def exactly(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                raise Lost
            data += part
        return data

    def flush(self, last):
        while True:
            part, self.out = self.out[:4000], self.out[4000:]
            end = last and not self.out
            if part or end:
                self.packet = (self.packet + 1) % 256
                self.sock.sendall(struct.pack(">BBHHBB", REPLY, 1 if end else 0, len(part) + 8, 51, self.packet, 0) + part)
            if not self.out:
                return

    # ---- logging in ----

    def encrypt(self, wrapped):
        self.sock = tds_tls.Channel(self.sock, self.server.tls, wrapped)
        self.note("tls", "inside PRELOGIN" if wrapped else f"first, {self.sock.protocol}", [])

    def prelogin(self):
        """Returns what client and server agree about encryption."""
        kind, data = self.receive()
        if kind != PRELOGIN:
            raise Lost
        wanted, at = CANNOT_ENCRYPT, 0
        while data[at] != 0xFF:
            token, start, size = struct.unpack(">BHH", data[at:at + 5])
            wanted = data[start] if token == 1 and size else wanted
            at += 5
        agreed = ENCRYPT if self.server.tls and wanted != CANNOT_ENCRYPT else CANNOT_ENCRYPT
        options, at = b"", 5 * 4 + 1
        body = b""
        for token, data in ((0, bytes((16, 0, 0x10, 0x4E, 0, 0))), (1, bytes((agreed,))), (2, b"\0"), (4, b"\0")):
            options += struct.pack(">BHH", token, at + len(body), len(data))
            body += data
        self.out += options + b"\xff" + body
        self.flush(True)
        return agreed

    def login(self):
        strict = self.server.tls and tds_tls.begins_with_tls(self.sock)
        if strict:
            self.encrypt(False)
        if self.prelogin() == ENCRYPT and not strict:
            self.encrypt(True)
        kind, data = self.receive()
        if kind != LOGIN:
            raise Lost
        at, chars = struct.unpack("<HH", data[68:72])
        database = data[at:at + chars * 2].decode("utf-16-le") or "master"
        self.database = database
        self.note("login", database, [])
        refusal = [step for step in self.server.answer("<LOGIN " + database + ">") or [] if "error" in step]
        if refusal:
            self.out += message(0xAA, *refusal[0]["error"]) + done(0xFD, FAILED)
            self.flush(True)
            raise Lost
        name = short_text("Microsoft SQL Server")
        ack = bytes((1,)) + (bytes((8, 0, 0, 0)) if strict else bytes((0x74, 0, 0, 4))) + name + bytes((16, 0, 0x10, 0x4E))
        self.out += change(1, short_text(database), short_text("master")) + \
            message(0xAB, 5701, 0, f"Changed database context to '{database}'.") + change(7, b"\5" + COLLATION, b"\0") + \
            struct.pack("<BH", 0xAD, len(ack)) + ack + change(4, short_text("4096"), short_text("4096")) + done(0xFD, 0)
        self.flush(True)

    # ---- answering ----

    def play(self, steps, in_procedure):
        token, failed = (0xFF if in_procedure else 0xFD), False
        last = len(steps) - 1
        for i, step in enumerate(steps):
            more = MORE if in_procedure or i < last else 0
            if "columns" in step:
                kinds = [kind for _, kind in step["columns"]]
                self.out += struct.pack("<BH", 0x81, len(kinds)) + b"".join(column(k, n) for n, k in step["columns"])
                for row in step["rows"]:
                    self.out += b"\xd1" + b"".join(value(k, v) for k, v in zip(kinds, row))
                self.out += done(token, more | COUNTED, len(step["rows"]))
            elif "count" in step:
                self.out += done(token, more | COUNTED, step["count"], 0xC5)
            elif "error" in step:
                failed = True
                self.out += message(0xAA, *step["error"])
                if not in_procedure:
                    self.out += done(token, more | FAILED)
            elif "info" in step:
                number, text = step["info"]
                self.out += message(0xAB, number, 10, text)
                if step.get("done") or not in_procedure and i == last:
                    self.out += done(token, more)
                self.flush(False)
            elif "sleep" in step:
                self.flush(False)
                time.sleep(step["sleep"])
                if not in_procedure and i == last:
                    self.out += done(token, 0)
            elif step.get("close"):
                self.flush(False)
                raise Lost
        if not in_procedure and not steps:
            self.out += done(token, 0)
        return failed

    def batch(self, r):
        r.take(r.number("I") - 4)
        text = r.data[r.at:].decode("utf-16-le")
        self.note("batch", text, [])
        words = text.strip().upper()
        steps = self.server.answer(text)
        if steps is None and re.match(r"IF @@TRANCOUNT > 0 (COMMIT|ROLLBACK)", words):
            name = re.match(r"IF @@TRANCOUNT > 0 (COMMIT|ROLLBACK)", words)[1]
            self.note("transaction", f"<{name}>", [])
            steps = self.server.answer(f"<{name}>")
        self.play(steps or [], False)
        self.flush(True)

    def procedure(self, r):
        r.take(r.number("I") - 4)
        size = r.number("H")
        number = r.number("H") if size == 0xFFFF else r.take(size * 2).decode("utf-16-le").lower()
        names = {"sp_executesql": EXECUTESQL, "sp_prepare": PREPARE, "sp_execute": EXECUTE, "sp_prepexec": PREPEXEC,
                 "sp_unprepare": UNPREPARE}
        number = names.get(number, number)
        r.number("H")
        values = read_parameters(r)
        handle, text, steps = None, None, []
        if number == EXECUTESQL:
            text, values = values[0], values[2:]
        elif number in (PREPEXEC, PREPARE):
            handle = len(self.prepared) + 1
            text = self.prepared[handle] = values[2]
            values = values[3:]
        elif number == EXECUTE:
            text, values = self.prepared.get(values[0], ""), values[1:]
        if number in (EXECUTESQL, PREPEXEC, EXECUTE):
            self.note("rpc", text, values)
            steps = self.server.answer(text, values) or [{"count": 0}]
        failed = self.play(steps, True)
        self.out += struct.pack("<Bi", 0x79, 1 if failed else 0)
        if handle is not None:
            self.out += struct.pack("<BH", 0xAC, 0) + short_text("") + struct.pack("<BIH", 1, 0, 0) + \
                bytes((0x26, 4, 4)) + struct.pack("<i", handle)
        self.out += done(0xFE, FAILED if failed else 0)
        self.flush(True)

    def manage(self, r):
        r.take(r.number("I") - 4)
        request = r.number("H")
        name = {5: "<BEGIN>", 7: "<COMMIT>", 8: "<ROLLBACK>"}.get(request, f"<{request}>")
        again = False
        if request in (7, 8) and r.more():
            r.take(r.number("B") * 2)
            again = r.more() and r.number("B") & 1
        self.note("transaction", name, [])
        steps = self.server.answer(name)
        if steps is not None:
            self.play(steps, False)
        else:
            old = struct.pack("<BQ", 8, self.transaction)
            if request in (7, 8):
                self.out += change(9 if request == 7 else 10, b"\0", old)
                self.transaction = 0
            if request == 5 or again:
                self.transaction = self.server.next_transaction()
                self.out += change(8, struct.pack("<BQ", 8, self.transaction), b"\0")
            self.out += done(0xFD, 0)
        self.flush(True)

    def run(self):
        try:
            self.login()
            while True:
                kind, data = self.receive()
                r = Reader(data)
                if kind == BATCH:
                    self.batch(r)
                elif kind == RPC:
                    self.procedure(r)
                elif kind == TRANSACTION:
                    self.manage(r)
                elif kind == ATTENTION:
                    self.out = done(0xFD, ATTENDED)
                    self.flush(True)
                else:
                    raise Lost
        except (Lost, ConnectionError):
            pass
        finally:
            self.sock.close()


class Server:
    def __init__(self, script, log, pem=None):
        self.script, self.log, self.tls = script, log, pem and tds_tls.context(pem)
        self.lock = threading.Lock()
        self.used, self.transactions = {}, 0
        self.variables = {}

    def note(self, request):
        with self.lock, open(self.log, "a", encoding="utf-8") as f:
            f.write(json.dumps(request, ensure_ascii=False) + "\n")

    def next_transaction(self):
        with self.lock:
            self.transactions += 1
            return self.transactions

    def answer(self, text, values=()):
        """The steps of the first rule that fits; None when none does."""
        asked = text.strip() + (" " + json.dumps(values, ensure_ascii=False) if values else "")
        with self.lock:
            with open(self.script, encoding="utf-8") as f:
                rules = json.load(f)
            for rule in rules:
                key = json.dumps(rule, sort_keys=True)
                if not re.search(rule["match"], asked, re.I | re.S):
                    continue
                if self.used.get(key, 0) >= rule.get("times", sys.maxsize):
                    continue
                if any(self.variables.get(name, "") != value for name, value in rule.get("if", {}).items()):
                    continue
                self.variables.update(rule.get("set", {}))
                if "keep" in rule:
                    self.variables.update({f"{rule['keep']}.{i}": v for i, v in enumerate(values)})
                self.used[key] = self.used.get(key, 0) + 1
                return [self.filled(step) for step in rule["answer"]]
        return None

    def filled(self, step):
        if "rows" not in step:
            return step
        return step | {"rows": [[self.variables.get(v["is"]) if isinstance(v, dict) else v for v in row] for row in step["rows"]]}

    def serve(self, listener):
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=Session(sock, self).run, daemon=True).start()


def main(*files):
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(*files)
    threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


main(*sys.argv[1:])
