"""Runs inside a node: for each line of seconds on stdin a look with one Gatherer, as a line of JSON on stdout."""

import dataclasses
import json
import os
import sys
import time
from typing import Any

from hostagent.config import Settings
from hostagent.model.host import SECTIONS
from hostagent.sources.gather import Gatherer


def main(ending: str = "_exit") -> None:
    """Look as often as asked, and leave although a reader may be stuck."""
    gatherer = Gatherer(Settings())
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
