"""What is wrong with the wishes and flags of domains, before any of them boots. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING

from hostagent.decide.boot.order import circle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hostagent.model.guests import Domain

    After = Mapping[str, tuple[str, ...]]

MOST_CIRCLES = 20  # enough to begin with; a path through a large tangle costs


def paced(domains: Iterable[Domain], managed: Sequence[str]) -> tuple[Domain, ...]:
    """The domains that the queue decides about, by name: no exempt one, and none that something else runs.

    ``managed`` are patterns of such domains' names (boot.managed).
    """
    found = (
        each
        for each in domains
        if not each.managers
        and not each.wish.exempt
        and not any(fnmatchcase(each.name, pattern) for pattern in managed)
    )
    return tuple(sorted(found, key=lambda each: each.name))


def waits_after(domains: Iterable[Domain]) -> dict[str, tuple[str, ...]]:
    """What each of the domains starts after."""
    return {each.name: each.wish.after for each in domains if each.wish.after}


def circles(after: After) -> tuple[tuple[str, ...], ...]:
    """Circles of dependencies as paths, the first name at both ends; no two share a dependency."""
    left = _tangle(after)
    found: list[tuple[str, ...]] = []
    while len(found) < MOST_CIRCLES and (path := circle(left)):
        found.append(path)
        used = set(pairwise(path))
        left = _tangle(
            {name: tuple(each for each in names if (name, each) not in used) for name, names in left.items()}
        )
    return tuple(found)


def nameless(after: After, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(domain, what it starts after) where there is no domain of that name."""
    known = frozenset(names)
    return tuple((name, each) for name in sorted(after) for each in after[name] if each not in known)


def unadopted(domains: Iterable[Domain]) -> tuple[Domain, ...]:
    """Those that libvirt itself starts at the node's boot, which adopt would change."""
    return tuple(each for each in domains if each.autostart and each.persistent)


def _tangle(after: After) -> dict[str, tuple[str, ...]]:
    """``after`` without the names from which no circle can be reached, which is most often all of them."""
    left = {name: frozenset(names) for name, names in after.items()}
    while True:
        kept = {name: names & left.keys() for name, names in left.items()}
        kept = {name: names for name, names in kept.items() if names}
        if kept == left:
            return {name: tuple(each for each in after[name] if each in kept[name]) for name in kept}
        left = kept
