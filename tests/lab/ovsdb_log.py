"""OVSDB's file as a log of records: ovsdb(5), 'File Formats', and ovsdb/log.c."""

import os
import re
from pathlib import Path

from tests.lab.programs import LabError

_HEADER = re.compile(rb"OVSDB JSON (\d+) [0-9a-f]{40}\n")


def offsets(data: bytes) -> list[int]:
    """Return where each record's header starts; a torn record at the end is none."""
    starts = []
    position = 0
    while (header := _HEADER.match(data, position)) is not None:
        end = header.end() + int(header[1])
        if end > len(data):
            break
        starts.append(position)
        position = end
    return starts


def cut(path: Path, records: int) -> None:
    """Cut the last records off; the first holds the schema and must stay."""
    starts = offsets(path.read_bytes())
    if not 0 < records < len(starts):
        raise LabError(f"conf.db holds {len(starts)} records with its schema: cannot lose {records}")
    os.truncate(path, starts[-records])
