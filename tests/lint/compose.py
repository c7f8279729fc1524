# SPDX-License-Identifier: Apache-2.0
"""Rules for what docker-compose makes of compose.yaml (read from standard input): images have an exact version, ports are for
this machine only, what goes on running is asked for its health, whoever is waited for is asked for something it can say, and
the programs named as arguments all run."""
import re
import sys

import yaml

faults = []
seen = yaml.safe_load(sys.stdin)
services = seen["services"]


def port_of(port):
    return port if isinstance(port, str) else f'{port.get("host_ip", "")}:{port.get("published")}:{port.get("target")}'


for name, service in services.items():
    image = service.get("image", "")
    if not re.search(r":[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z0-9.]+)?$", image):
        faults.append(f"{name}: the image {image!r} has no exact version")
    for port in service.get("ports", []):
        if not port_of(port).startswith("127.0.0.1:"):
            faults.append(f"{name}: the port {port_of(port)} is open to other machines")
    runs_once = service.get("restart", "no") in ("no", False)
    if not runs_once and "test" not in service.get("healthcheck", {}):
        faults.append(f"{name}: nobody asks for its health")
    if image.startswith("sandbox-") and service.get("user", "0").split(":")[0] in ("", "0", "root"):
        faults.append(f"{name}: runs as root")
    for other, how in dict(service.get("depends_on", {})).items():
        wanted = how["condition"]
        if wanted == "service_healthy" and "healthcheck" not in services[other]:
            faults.append(f"{name}: waits for the health of {other}, which nobody asks for")
        if wanted == "service_started":
            faults.append(f"{name}: waits for the start of {other} only")
    for key, value in (service.get("environment") or {}).items():
        if re.search(r"PASSWORD|SECRET|TOKEN|KEY", key) and not key.endswith("_FILE"):
            faults.append(f"{name}: {key} is a secret in the environment")
    for secret in service.get("secrets", []):
        if secret["source"] not in seen["secrets"]:
            faults.append(f"{name}: there is no secret {secret['source']}")

words = [word for s in services.values() for word in [*(s.get("command") or []), *(s.get("entrypoint") or [])]]
for program in sys.argv[1:]:
    if program not in words:
        faults.append(f"no service runs {program}")
for fault in faults:
    print(f"compose.yaml: {fault}")
sys.exit(1 if faults else 0)
