"""Active probes of a network's DHCP server; each makes one port beside the guests and takes it away again.

They write nothing but that port, and at most one lease of two minutes that is given back.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hostagent.act.dhcp import renew, unicast
from hostagent.act.dhcp.port import NoPortError, probe_port, remove_leftovers
from hostagent.act.dhcp.wire import Wire
from hostagent.errors import ActError
from hostagent.model.dhcp import Layer, Outcome, ProbeReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.config import Settings
    from hostagent.model.dhcp import ProbeTarget

__all__ = ["probe_renew", "probe_unicast", "remove_leftovers"]


def probe_unicast(target: ProbeTarget, settings: Settings, ended: Callable[[], bool] = bool) -> ProbeReport:
    """Whether what guests send to the server alone is answered. Takes no lease.

    Once ``ended`` says so, the probe is broken off.

    Raises:
        RefusedError: the stop file exists, another probe goes on, or this one was broken off.
        ActError: the port could not be made or removed.
        SourceError: OVSDB can't be reached.
    """
    return _probed(target, settings, Layer.UNICAST, unicast.probe, ended)


def probe_renew(target: ProbeTarget, settings: Settings, ended: Callable[[], bool] = bool) -> ProbeReport:
    """Whether a lease can be had and renewed, and what is broken if not. Up to 20 s; raises as above."""
    return _probed(target, settings, Layer.RENEW, renew.probe, ended)


def _probed(
    target: ProbeTarget,
    settings: Settings,
    layer: Layer,
    probe: Callable[[Wire, ProbeTarget], ProbeReport],
    ended: Callable[[], bool],
) -> ProbeReport:
    at = time.time()
    try:
        with probe_port(target, settings) as (opened, mac):
            return probe(Wire(opened, mac, ended), target)
    except NoPortError as error:
        return ProbeReport(
            network=target.network,
            server=target.server,
            layer=layer,
            at=at,
            outcome=Outcome.SKIPPED,
            detail=str(error),
        )
    except OSError as error:
        raise ActError(f"probe port in {target.network}: {error.strerror} (ip link)") from error
