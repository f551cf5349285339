"""Runs inside a node: ``python3 -m tests.live.act_cases CASE`` prints a JSON line for each thing to judge."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.act import lock
from hostagent.act.history import runs
from hostagent.errors import HostagentError
from tests.live.act_scene import VLAN7, Scene, deaf, hear, vsctl
from tests.live.proxy import Fate, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.act.outcome import Outcome
    from hostagent.config import Settings


def say(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def odd(outcome: Outcome) -> list[list[str]]:
    """The steps that are not simply done."""
    return [[each.object, each.state, each.reason] for each in outcome.results if each.reason]


def interposed(scene: Scene) -> tuple[Proxy, Settings]:
    path = f"{scene.settings.paths.run_dir}.sock"
    return Proxy(path), replace(scene.settings, sources=replace(scene.settings.sources, ovsdb_socket=path))


def repair() -> None:
    """The plan as a whole, its undo, and the undo's undo."""
    scene = Scene()
    scene.drift()
    before = scene.rows()
    interface = vsctl("get", "Interface", "vnet5", "ofport")
    outcome = scene.executor().apply(scene.plan(), who="test")
    wished = scene.rows()
    kept = vsctl("get", "Interface", "vnet5", "ofport", "ofport_request") == f"{interface}\n[]"
    say(what="apply", steps=len(outcome.results), odd=odd(outcome), left=len(scene.plan().steps), kept=kept)
    undo = scene.executor().undo(outcome.run, who="test")
    say(what="undo", odd=odd(undo), same=scene.rows() == before)
    again = scene.executor().undo(undo.run, who="test")
    say(what="redo", odd=odd(again), same=scene.rows() == wished)
    for number in (3, 1, 5, 2, 4):
        scene.executor().undo(f"{again.run}.{number}", who="test")
    say(what="one by one", odd=[], same=scene.rows() == before)


def crash() -> None:
    """SIGKILL at every message to ovsdb-server, before and after the server has it; then the next run."""
    scene = Scene()
    proxy, settings = interposed(scene)

    def attempt(number: int, fate: Fate) -> bool:
        """Whether the acting process was killed."""
        scene.drift()
        plan = scene.plan()
        proxy.seen.clear()
        proxy.decide = lambda seen, _kind: fate if seen == number else Fate.PASS
        scene.rest()
        scene.fork()
        victim = os.fork()
        if victim == 0:
            scene.executor(settings).apply(plan, who="victim")
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(victim, 0)[1]) != 0

    killed = attempt(0, Fate.PASS)
    wished, messages = scene.rows(), len(proxy.seen)
    say(what="undisturbed", killed=killed, messages=messages)
    for number in range(1, messages + 1):
        for fate in (Fate.KILL, Fate.KILL_AFTER):
            killed = attempt(number, fate)
            died_at = proxy.seen[-1]
            recovered = scene.executor().recover(who="next")
            plan = scene.plan()
            rest = scene.executor().apply(plan, who="next")
            same = scene.rows() == wished and not scene.plan().steps
            open_runs = [each.id for each in runs(scene.settings) if not each.finished]
            say(
                at=died_at, fate=fate, killed=killed, same=same, odd=odd(rest), said=recovered, open=open_runs
            )


def races() -> None:
    """What others do, and what breaks, between any two messages."""
    scene = Scene()
    proxy, settings = interposed(scene)

    def case(name: str, kind: str, event: Callable[[], object], fate: Fate = Fate.PASS) -> None:
        scene.drift()
        pending = [kind] if kind else []

        def decide(_number: int, seen: str) -> Fate:
            if seen not in pending:
                return Fate.PASS
            pending.remove(seen)
            event()
            return fate

        proxy.decide = decide
        plan = scene.plan()
        try:
            strange = odd(scene.executor(settings).apply(plan, who="test"))
        except HostagentError as error:
            strange = [["", type(error).__name__, str(error)]]
        same = scene.rows() == wished[0] if wished else True
        wished.append(scene.rows())
        say(what=name, same=same, odd=strange, unused=pending)

    wished: list[dict[str, list[str]]] = []
    case("undisturbed", "", dict)
    for kind in ("first", "second", "barrier"):
        for fate in (Fate.LOSE, Fate.LOSE_REPLY, Fate.LATE):
            case(f"{kind} {fate}", kind, dict, fate)
            time.sleep(2.0 if fate is Fate.LATE else 0)
            say(what=f"{kind} {fate}, later", same=scene.rows() == wished[0], odd=[])
    case("tag changed", "first", lambda: vsctl("set", "Port", "vnet5", "tag=99"))
    say(what="their tag", same=vsctl("get", "Port", "vnet5", "tag") == "99", odd=[])
    case("other column changed", "first", lambda: vsctl("set", "Interface", "vnet5", "other_config:k=v"))
    say(what="their column", same="k=v" in vsctl("get", "Interface", "vnet5", "other_config"), odd=[])
    case("made by another", "second", lambda: vsctl("add-port", "br-ext", "vnet5"))
    say(what="theirs stays", same=vsctl("port-to-br", "vnet5") == "br-ext", odd=[])
    case("bridge gone", "second", lambda: vsctl("del-br", "br-ext"))
    say(what="back on the old one", same=vsctl("port-to-br", "vnet2") == "br-int", odd=[])
    scene.clear()

    def start() -> None:
        scene.tap(0)
        scene.guest(0, vlan=VLAN7)

    case("guest starts", "first", start)
    say(what="its port is back", same=vsctl("port-to-br", "vnet0") == "br-int", odd=[])
    case("vswitchd hangs", "first", deaf)
    hear()
    scene.executor().apply(scene.plan(), who="test")
    say(what="vswitchd goes on", same=scene.rows() == wished[0] and not scene.plan().steps, odd=[])


def refusals() -> None:
    """What stands against acting leaves OVSDB alone."""
    scene = Scene()
    scene.drift()
    before = scene.rows()

    def case(name: str, settings: Settings | None = None) -> None:
        words = "nothing refused"
        try:
            scene.executor(settings).apply(scene.plan(), who="test")
        except HostagentError as error:
            words = f"{type(error).__name__}: {error}"
        say(what=name, same=scene.rows() == before, words=words)

    full = replace(scene.settings, paths=replace(scene.settings.paths, state_dir="/mnt/act"))
    for name, options in (("disk full", "size=8k,mode=755"), ("read-only", "ro,mode=755")):
        subprocess.run(["mkdir", "-p", "/mnt/act"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", "/mnt/act"], check=True)
        case(name, full)
        subprocess.run(["umount", "/mnt/act"], check=True)
    with lock.held(scene.settings, who="somebody", wait_seconds=0):
        case("locked")
    vsctl("set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
    case("flow restore")
    vsctl("remove", "Open_vSwitch", ".", "other_config", "flow-restore-wait")


def many() -> None:
    """A hundred deaf ports need one pair of transactions; what vswitchd itself needs for them is its own."""
    scene = Scene()
    for count in (1, 100):
        scene.clear()
        for number in range(count):
            scene.tap(number)
            scene.guest(number, vlan=VLAN7)
            scene.row(number, "br-int", "tag=7")
        scene.dead_rx(*range(count))
        plan = scene.plan()
        began = time.monotonic()
        outcome = scene.executor().apply(plan, who="test")
        seconds = round(time.monotonic() - began, 3)
        left = len(scene.plan().steps)
        began = time.monotonic()
        names = [f"vnet{number}" for number in range(count)]
        vsctl(*itertools.chain(*(["--", "del-port", name] for name in names)))
        vsctl(*itertools.chain(*(["--", "add-port", "br-int", name] for name in names)))
        alone = round(time.monotonic() - began, 3)
        say(steps=len(plan.steps), odd=odd(outcome), left=left, seconds=seconds, alone=alone)
    scene.clear()


if __name__ == "__main__":
    threading.excepthook = lambda args: say(what="thread", same=False, odd=[repr(args.exc_value)])
    {each.__name__: each for each in (repair, crash, races, refusals, many)}[sys.argv[1]]()
