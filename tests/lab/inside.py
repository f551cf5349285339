"""Becomes a program in layers, from within a mount namespace of its own; see `overlay.run_inside`.

python -m tests.lab.inside FOLDER LOWER:LOWER… -- ARGV…
"""

import os
import sys
from pathlib import Path

from tests.lab import overlay
from tests.lab.programs import ProgramError, run


def main() -> None:
    folder, lowers, _, *argv = sys.argv[1:]
    try:
        root = overlay.mount(Path(folder), lowers.split(":"))
        # Maintainer scripts read /proc and write to /dev/null; the mounts end with this namespace.
        run(["mount", "-t", "proc", "proc", str(root / "proc")])
        run(["mount", "--bind", "/dev", str(root / "dev")])
    except ProgramError as error:
        raise SystemExit(str(error)) from error
    os.chroot(root)
    os.chdir("/")
    os.execvpe(argv[0], argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"})


if __name__ == "__main__":
    main()
