"""What the last probes of DHCP renewals said, as whoever probed left it in the run directory."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

from hostagent.model.dhcp import PROBES_FILE, ProbeReport
from hostagent.model.plain import record
from hostagent.sources.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOG = logging.getLogger(__name__)
_OLDEST_SECONDS = 6 * 3600.0


def read_probes(run_dir: str) -> tuple[ProbeReport, ...]:
    """The reports of the last hours; none where nobody has probed, or another version wrote the file."""
    path = f"{run_dir}/{PROBES_FILE}"
    try:
        return parse_probes(json.loads(read_bounded(path)), since=time.time() - _OLDEST_SECONDS)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        _LOG.debug("%s: %s", path, error)
        return ()


def parse_probes(raw: object, *, since: float) -> tuple[ProbeReport, ...]:
    """The reports of a decoded file that are not older than ``since``.

    Raises:
        ValueError: it is no such file.
    """
    listed: Iterable[object] = raw if isinstance(raw, list) else [raw]
    found = (record(ProbeReport, each) for each in listed)
    return tuple(each for each in found if each.at >= since)
