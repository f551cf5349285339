"""What a check is. Files in checks/ and /etc/hostagent/checks.d import from here, decide and model only."""

from hostagent.health.judges import (
    judge_boots,
    judge_daemon,
    judge_dhcp,
    judge_drift,
    judge_memory,
    judge_order,
    unread,
)
from hostagent.health.records import Check, Context, Example, ObjectResult, State, Verdict

__all__ = [
    "Check",
    "Context",
    "Example",
    "ObjectResult",
    "State",
    "Verdict",
    "judge_boots",
    "judge_daemon",
    "judge_dhcp",
    "judge_drift",
    "judge_memory",
    "judge_order",
    "unread",
]
