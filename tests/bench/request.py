# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor of an API call: one GET through urllib3, on a connection of its own. Run as a program, it prints its seconds."""

from __future__ import annotations

import base64
import json
import ssl
import sys
import tempfile
import time
from pathlib import Path

import urllib3


def get_once(kubeconfig: Path, path: str) -> tuple[float, int]:
    """Send a GET with the certificate of a sandbox's kubeconfig; returns the seconds from connecting to the answer, and its status."""
    document = json.loads(kubeconfig.read_text(encoding="utf-8"))
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    with tempfile.NamedTemporaryFile("wb") as pair:
        pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
        pair.flush()
        began = time.monotonic()
        context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        context.load_cert_chain(pair.name)
        pool = urllib3.PoolManager(ssl_context=context)
        answer = pool.request("GET", cluster["server"] + path, headers={"Accept": "application/json"}, retries=False)
        json.loads(answer.data)
        return time.monotonic() - began, answer.status


if __name__ == "__main__":
    seconds, status = get_once(Path(sys.argv[1]), sys.argv[2])
    print(seconds)
    sys.exit(status != 200)
