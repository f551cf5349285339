"""run_dir/autostarted.json: the adopted guests of this boot of the node that are still to be started.

Without the file nobody has begun; the releaser reads it too. It is gone with the boot, as all of run_dir.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from hostagent.act import places

FILE = "autostarted.json"
_LOG = logging.getLogger("hostagent")


def pending(run_dir: str) -> frozenset[str] | None:
    """Their UUIDs; None where nobody has begun."""
    path = Path(run_dir, FILE)
    try:
        return frozenset(str(each) for each in json.loads(path.read_bytes())["pending"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        _LOG.warning("%s can't be used: %s; no adopted guest is started", path, error)
        return frozenset()


def keep(run_dir: str, uuids: frozenset[str]) -> None:
    """These are left; a file system that does not take it is said."""
    path = Path(run_dir, FILE)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        places.replace(path, json.dumps({"pending": sorted(uuids)}) + "\n", mode=0o600, durable=False)
    except OSError as error:
        _LOG.error("%s can't be written: %s; a restart may start guests again", path, error.strerror)
