"""The parts of the agent that outlive a loop: what main makes once, and hands to each loop it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostagent.act.ksm import Tuner
    from hostagent.daemon.admission import Gate
    from hostagent.daemon.boots.pacer import Pacer
    from hostagent.daemon.controls import Controls
    from hostagent.daemon.publish import Publisher
    from hostagent.daemon.tally import Tally
    from hostagent.daemon.wakes import Wakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All of them."""

    controls: Controls
    wakes: Wakes
    tally: Tally
    publisher: Publisher
    gate: Gate
    tuner: Tuner
    pacer: Pacer
