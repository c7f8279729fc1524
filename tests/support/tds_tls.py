# SPDX-License-Identifier: Apache-2.0
"""Encryption of a TDS connection, for tds_server.py. Up to TDS 7.4 the handshake travels inside PRELOGIN packets and only
then are there records of TLS on the wire; TDS 8 ("strict") begins with TLS, as any other protocol does."""
import socket
import ssl
import struct

PRELOGIN, TLS_HANDSHAKE = 18, 0x16


def context(pem):
    """PEM: a file with key and certificate."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(pem)
    c.maximum_version = ssl.TLSVersion.TLSv1_2  # inside packets a server of SQL has no newer one
    c.set_alpn_protocols(["tds/8.0"])
    return c


def begins_with_tls(sock):
    return sock.recv(1, socket.MSG_PEEK)[:1] == bytes((TLS_HANDSHAKE,))


class Channel:
    """What recv, sendall and close of a socket do, through TLS."""

    def __init__(self, sock, tls, wrapped):
        self.sock, self.wrapped, self.number = sock, wrapped, 0
        self.coming, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls.wrap_bio(self.coming, self.going, server_side=True)
        self.step(self.tls.do_handshake)
        self.wrapped = False
        self.protocol = self.tls.selected_alpn_protocol()

    def step(self, act, *args):
        """Until TLS has what it needs; what it wants to say goes out in between."""
        while True:
            try:
                result = act(*args)
                self.send_pending()
                return result
            except ssl.SSLWantReadError:
                self.send_pending()
                data = self.packet() if self.wrapped else self.sock.recv(65536)
                if not data:
                    raise ConnectionError from None
                self.coming.write(data)
            except ssl.SSLError:
                self.send_pending()  # why not
                raise ConnectionError from None

    def packet(self):
        head = self.exactly(8)
        return self.exactly(struct.unpack(">H", head[2:4])[0] - 8)

    def exactly(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data

    def send_pending(self):
        data = self.going.read()
        while data:
            if self.wrapped:
                part, data = data[:4000], data[4000:]
                self.number = (self.number + 1) % 256
                part = struct.pack(">BBHHBB", PRELOGIN, 0 if data else 1, len(part) + 8, 0, self.number, 0) + part
            else:
                part, data = data, b""
            self.sock.sendall(part)

    def recv(self, n):
        try:
            return self.step(self.tls.read, n)
        except ssl.SSLZeroReturnError:
            return b""

    def sendall(self, data):
        while data:
            data = data[self.step(self.tls.write, data):]

    def close(self):
        self.sock.close()
