# SPDX-License-Identifier: Apache-2.0
# Hands cases to the samples of docs/partners.md (sample.py) and to PyJWT's client for key sets.
import functools
import http.server
import json
import os
import pathlib
import sys
import threading

import jwt
import sample


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def fetch_key(case, token):
    server = http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=case))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = jwt.PyJWKClient(f"http://127.0.0.1:{server.server_port}/key_set.json")
        return client.get_signing_key_from_jwt(token)
    finally:
        server.shutdown()


def judge(case):
    settings = json.loads((case / "settings.json").read_text())
    headers = json.loads((case / "headers.json").read_text())
    body = (case / "body").read_bytes()
    if case.name.startswith("ed25519_"):
        sample.verify_ed25519(headers, body, settings["x"])
    elif case.name.startswith("client_"):
        token = json.loads(body)["Token"]
        jwt.decode(token, fetch_key(case, token), algorithms=["RS256"], issuer=settings["issuer"], audience=settings["client_id"])
    else:
        key_set = (case / "key_set.json").read_text()
        notice = sample.verify_notice(headers, body, settings["secret"], key_set, settings["issuer"], settings["client_id"])
        assert notice["ChangeType"] == 1 and len(notice) == 6


os.environ["no_proxy"] = "127.0.0.1"
for name in sys.argv[1:]:
    case = pathlib.Path(name)
    try:
        judge(case)
        print(case.name, "accepted")
    except Exception as e:
        print(case.name, "refused", type(e).__name__, e)
