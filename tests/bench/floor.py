# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor: the same work in as few lines as there can be, through urllib3. A program of its own, it prints its seconds."""

from __future__ import annotations

import argparse
import base64
import json
import ssl
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import urllib3
import yaml

from bench.works import SELECTOR
from integration.support.api import COLLECTIONS

# As many writes at a time as we allow ourselves.
WRITERS = 8
REPLICA_SETS = "virtualmachineinstancereplicasets"


class Server:
    """An API server, spoken to with the certificate of a sandbox's kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        document = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile("wb") as pair:
            pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
            pair.flush()
            context.load_cert_chain(pair.name)
        self._address = cluster["server"]
        self._pool = urllib3.PoolManager(ssl_context=context, maxsize=WRITERS + 1)

    def ask(self, method: str, path: str, body: Any = None, *, is_stream: bool = False) -> urllib3.BaseHTTPResponse:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        answer = self._pool.request(
            method, self._address + path, body=content, headers=headers, retries=False, preload_content=not is_stream
        )
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: HTTP {answer.status}")
        return answer


def get_once(server: Server, path: str) -> None:
    """Send one GET."""
    json.loads(server.ask("GET", path).data)


def create_all(server: Server, file: Path) -> None:
    """Create every set of a file, and follow them by one watch until each has all of its VMIs ready."""
    objects = list(yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    base = COLLECTIONS[REPLICA_SETS]
    watch = server.ask("GET", f"{base}/{REPLICA_SETS}?watch=true&labelSelector={SELECTOR}", is_stream=True)
    with ThreadPoolExecutor(WRITERS) as writers:
        list(
            writers.map(lambda body: server.ask("POST", f"{base}/namespaces/{body['metadata']['namespace']}/{REPLICA_SETS}", body), objects)
        )
    missing = {(body["metadata"]["namespace"], body["metadata"]["name"]) for body in objects}
    rest = b""
    for data in watch.stream(1 << 16):
        *lines, rest = (rest + data).split(b"\n")
        for live in (json.loads(line)["object"] for line in lines if line):
            if live.get("status", {}).get("readyReplicas") == live["spec"]["replicas"]:
                missing.discard((live["metadata"]["namespace"], live["metadata"]["name"]))
        if not missing:
            return
    raise SystemExit(f"the watch ended before {len(missing)} sets were ready")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="floor")
    parser.add_argument("work", choices=["get", "create"])
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("what")
    options = parser.parse_args()
    began = time.monotonic()
    given = Server(options.kubeconfig)
    if options.work == "get":
        get_once(given, options.what)
    else:
        create_all(given, Path(options.what))
    print(time.monotonic() - began)
    sys.stdout.flush()
