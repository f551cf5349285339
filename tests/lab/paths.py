"""Where the lab keeps what, and the names derived from the checkout."""

import hashlib
import os
import re
from pathlib import Path
from typing import Final

from tests.lab.programs import LabError

CHECKOUT: Final = Path(__file__).resolve().parents[2]
# Two checkouts on one machine must not meet: state, cgroups and machine names carry this key.
KEY: Final = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
CACHE: Final = Path(os.environ.get("HOSTAGENT_LAB_CACHE", "/var/cache/hostagent-lab"))
ALL_STATE: Final = Path("/var/lib/hostagent-lab")
STATE: Final = ALL_STATE / KEY


def checked_name(name: str) -> str:
    """Return the name if it can be a host name, a cgroup and a directory at once."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name) or name.endswith("-"):
        raise LabError(f"{name!r} is no node name: use a-z, 0-9 and '-', a letter first, at most 40")
    return name


def machine_name(name: str) -> str:
    """Return the name nspawn and the cgroup tree know the node by."""
    return f"lab-{KEY}-{name}"


def digest(*parts: str | bytes) -> str:
    """Return a short hash of all parts, for cache keys."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()[:16]


def tree_digest(*roots: Path) -> str:
    """Return a short hash of every file's path, mode and content below the given files and directories."""
    parts: list[str | bytes] = []
    for root in roots:
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        for path in files:
            if "__pycache__" not in path.parts:
                mode = path.stat().st_mode & 0o111
                parts += [f"{path.relative_to(root.parent)} {mode:o}", path.read_bytes()]
    return digest(*parts)
