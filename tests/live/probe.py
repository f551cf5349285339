"""Runs inside a node: for each line of seconds on stdin one look, as a line of JSON on stdout."""

import dataclasses
import json
import os
import sys
import time
from typing import Any

from hostagent.config import Settings, Sources
from hostagent.model.host import SECTIONS
from hostagent.sources.gather import Gatherer


def main(ending: str = "_exit", run: str = "/run") -> None:
    """Look as often as asked, and leave although a reader may be stuck. `run` is where the sockets are."""
    sources = Sources()
    if run != "/run":
        uri = f"qemu+unix:///system?socket={run}/libvirt/libvirt-sock-ro"
        ovs = f"{run}/openvswitch"
        sources = Sources(libvirt_uri=uri, ovs_run_dir=ovs, ovsdb_socket=f"{ovs}/db.sock")
    gatherer = Gatherer(Settings(sources=sources))
    for line in sys.stdin:
        began = time.monotonic()
        snapshot = gatherer.look(timeout_seconds=float(line), flows=True)
        took = time.monotonic() - began
        sections = {name: plain(getattr(snapshot, name)) for name in SECTIONS}
        print(json.dumps({"took": took, **sections}), flush=True)
    gatherer.close()
    if ending == "_exit":
        os._exit(0)


def plain(value: Any) -> Any:
    """Records as JSON holds them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value


if __name__ == "__main__":
    main(*sys.argv[1:])
