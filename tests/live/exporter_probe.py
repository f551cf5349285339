"""Run inside a node: a crowd of clients that send nothing or too slowly, and scrapes beside them.

Prints one JSON object: the seconds of each scrape, and how many clients were cut off.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import time
import urllib.request

IDLE, SLOW, SECONDS = 300, 100, 4.0


def main(url: str, ca: str = "") -> None:
    """Open the crowd, scrape for a while, and count who was dropped."""
    host, _, port = url.partition("//")[2].partition("/")[0].partition(":")
    address = (host, int(port))
    crowd = [socket.create_connection(address, timeout=10) for _ in range(IDLE)]
    slow = [socket.create_connection(address, timeout=10) for _ in range(SLOW)]
    context = ssl.create_default_context(cafile=ca) if ca else None
    took = []
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        for client in slow:
            try:
                client.send(b"G")
            except OSError:
                continue
        began = time.monotonic()
        with urllib.request.urlopen(url, timeout=10, context=context) as response:
            assert b"hostagent_agent_up" in response.read()
        took.append(round(time.monotonic() - began, 4))
        time.sleep(0.1)
    print(json.dumps({"took": took, "dropped": sum(map(is_cut, crowd))}))


def is_cut(client: socket.socket) -> bool:
    """Whether the other side has ended it."""
    client.settimeout(0)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


if __name__ == "__main__":
    main(*sys.argv[1:])
