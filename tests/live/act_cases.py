"""Runs inside a node: ``act_cases.py CASE`` prints one JSON line for each thing that test_act.py judges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

from hostagent.act.history import runs
from hostagent.act.outcome import Outcome
from hostagent.errors import HostagentError

sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120 - the node has Debian's Python alone

from act_proxy import Fate, Proxy
from act_scene import VLAN7, Scene, deaf, hear, vsctl


def say(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def told(outcome: Outcome) -> list[list[str]]:
    return [[each.object, each.state, each.reason] for each in outcome.results]
