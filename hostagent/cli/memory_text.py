"""The memory budget in words, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.cli.words import paint, printable, table
from hostagent.decide.memory.words import percent, ratio, size, span
from hostagent.model.budget import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.decide.memory.fits import Fits
    from hostagent.decide.memory.view import MemoryView
    from hostagent.model.budget import Budget, Share
    from hostagent.model.guests_memory import Promise

_SCREEN = 24  # lines
_LEAST_GUESTS = 5
_BAR = 30
_COLOR = {
    Level.UNKNOWN: "unknown",
    Level.HIGH: "ok",
    Level.CLEAR: "ok",
    Level.SOFT: "warn",
    Level.HARD: "crit",
    Level.LOW: "crit",
}


def text(seen: MemoryView, *, host: str, full: bool) -> str:
    """The whole screen."""
    budget, state = seen.budget, seen.state
    reasons = f" ({'; '.join(state.reasons)})" if state.reasons else ""
    lines = [f"{paint(state.level.upper(), _COLOR[state.level])} memory of {printable(host)}{reasons}", ""]
    lines += [f"{label:<8} {words}" for label, words in _figures(budget)]
    room = max(_LEAST_GUESTS, _SCREEN - len(lines) - 3)  # a blank, the header, and how many are left out
    lines += ["", *_guests(budget.guests, room=None if full else room)]
    return "\n".join(lines) + "\n"


def fits(found: Fits, promise: Promise, charge: int, budget: Budget) -> str:
    """How many fit, what stops the next, and the CPUs beside it."""
    kind = f"{size(promise.maximum)} and {promise.vcpus} virtual CPU{'s' if promise.vcpus > 1 else ''}"
    lines = [f"{found.count} more of {kind} fit, each {size(charge)} with QEMU's overhead"]
    if found.stop is not None:
        lines.append(f"the next is stopped by the {found.stop.figure}: {found.stop.reason}")
    if budget.vcpus is not None and budget.threads:
        vcpus = budget.vcpus + found.count * promise.vcpus
        room = max(0, int((budget.cpu_limit * budget.threads - budget.vcpus) // promise.vcpus))
        lines.append(
            f"CPU: {vcpus} virtual on {budget.threads} threads then, {ratio(vcpus / budget.threads)}; "
            f"1:{budget.cpu_limit:g} has room for {room}"
        )
    return "\n".join(lines) + "\n"


def _figures(budget: Budget) -> Iterator[tuple[str, str]]:
    yield "Budget", f"{_bar(budget)} {_needed(budget)}"
    elastic, fixed = size(budget.elastic), size(budget.fixed)
    yield "", f"promised {ratio(budget.ratio)}: elastic {elastic} (=), fixed {fixed} (#)"
    by_balloon, by_rss = ratio(budget.balloon_ratio), ratio(budget.resident_ratio)
    yield "", f"{by_balloon} by balloons, {by_rss} resident"
    share = None if budget.available is None else budget.available / budget.total
    there = f"{size(budget.available)} available ({percent(share)})"
    yield "Host", f"{size(budget.total)}, {there}, {size(budget.huge)} in huge pages"
    yield "", f"{size(budget.reserved)} reserved; all that is no guest takes {size(budget.others)} now"
    for node in budget.nodes:
        yield f"node{node.number}", f"{size(node.needed)} needed of {size(node.capacity)} by bound guests"
    yield "KSM", _ksm(budget)
    yield "Unmerge", _unmerge(budget)
    yield "Worst", _worst(budget)
    yield "CPU", _cpu(budget)


def _needed(budget: Budget) -> str:
    needed, limit = f"{size(budget.needed)} needed of {size(budget.capacity)}", f"1:{budget.limit:g}"
    if budget.headroom is None:
        return f"? needed of {size(budget.capacity)} at {limit}"
    left = f"{size(budget.headroom)} left" if budget.headroom >= 0 else f"{size(-budget.headroom)} too many"
    return f"{needed} at {limit}, {left}"


def _bar(budget: Budget) -> str:
    """What is needed as a part of the budget: "#" fixed, "=" elastic, "!" what is too much."""
    if budget.needed is None or budget.fixed is None or budget.capacity <= 0:
        return f"[{'?' * _BAR}]"
    cells = min(_BAR, round(budget.needed / budget.capacity * _BAR))
    hard = min(cells, round(budget.fixed / budget.capacity * _BAR))
    drawn = "#" * hard + "=" * (cells - hard)
    return f"[{drawn.ljust(_BAR, '.')}]" if budget.needed <= budget.capacity else f"[{drawn[:-1]}!]"


def _ksm(budget: Budget) -> str:
    ksm = budget.ksm
    if ksm is None:
        return "this kernel has none"
    run = {0: "off", 1: "on", 2: "unmerging"}.get(ksm.run, "?")
    words = f"{run}: saves {size(ksm.saved)}, metadata {size(ksm.metadata)}, profit {size(ksm.profit)}"
    words += f"; {size(ksm.mergeable)} mergeable"
    if ksm.run == 1:
        advisor = f", advisor {ksm.advisor}" if ksm.advisor not in {None, "none"} else ""
        words += f", {span(ksm.scan_seconds)} a pass{advisor}"
    return words


def _unmerge(budget: Budget) -> str:
    if budget.unmerge is None or budget.unmerge_with_swap is None:
        return "unknown: this kernel does not say how much is merged or available"
    left = budget.unmerge
    words = f"{size(left)} left" if left >= 0 else f"{size(-left)} missing"
    swap = budget.unmerge_with_swap
    beside = f" ({size(swap)} with swap)" if swap != left else ""
    return f"{words} if every merged page were written{beside}"


def _worst(budget: Budget) -> str:
    if budget.worst is None or budget.shortfall is None:
        return "unknown"
    short = budget.shortfall
    rest = f"{size(short)} more than there is" if short > 0 else f"{size(-short)} to spare"
    words = f"{size(budget.worst)} if guests touch all they may, {rest} with swap"
    return f"{words}; KSM bears {ratio(budget.sustainable)}" if budget.sustainable else words


def _cpu(budget: Budget) -> str:
    if budget.vcpus is None or not budget.threads:
        return "unknown"
    words = f"{budget.vcpus} virtual on {budget.threads} threads, {ratio(budget.cpu_ratio)}"
    return f"{words} of 1:{budget.cpu_limit:g}"


def _guests(every: tuple[Share, ...] | None, *, room: int | None) -> list[str]:
    if every is None:
        return ["the guests could not be read"]
    if not every:
        return ["no guest runs"]
    listed = every[:room]
    rows = [("GUEST", "BACKING", "MAX", "BALLOON", "RSS", "OVERHEAD", "MERGED", "VCPUS")]
    rows += [_row(share) for share in listed]
    left = len(every) - len(listed)
    return [*table(rows), *([f"and {left} more (--full prints all)"] if left else [])]


def _row(share: Share) -> tuple[str, str, str, str, str, str, str, str]:
    why = f" ({', '.join(share.why)})" if share.why and share.why != ("huge pages",) else ""
    return (
        share.name,
        f"{share.backing}{why}",
        size(share.maximum),
        size(share.balloon),
        size(share.resident),
        size(share.overhead),
        size(share.saved),
        str(share.vcpus),
    )
