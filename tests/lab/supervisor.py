"""What a node's first process on the host does: enter the cgroup, mount the disk, become systemd-nspawn.

Started by `machine.start` inside `unshare --mount`, detached, with the console log as its output:
    python -m tests.lab.supervisor FOLDER CGROUP HOSTNAME LOWER:LOWER…
nspawn makes the pseudo-terminal itself with --console=read-only, so nobody has to hold one.
"""

import os
import sys
from pathlib import Path

from tests.lab import overlay
from tests.lab.cgroup import Cgroup
from tests.lab.programs import ProgramError


def main() -> None:
    folder, machine, hostname, lowers = sys.argv[1:]
    Cgroup(machine).enter()
    try:
        root = overlay.mount(Path(folder), lowers.split(":"))
    except ProgramError as error:
        raise SystemExit(str(error)) from error
    # nspawn's lock of the directory tree is named after device and inode and outlives a SIGKILL.
    status = root.stat()
    (Path(folder) / "nspawn.lock").write_text(f"inode-{status.st_dev}:{status.st_ino}")
    argv = [
        "systemd-nspawn",
        "--quiet",
        f"--directory={root}",
        f"--machine={machine}",
        f"--hostname={hostname}",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--private-network",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--capability=all",
        "--bind=/dev/net/tun",
        "--console=read-only",
    ]
    os.chdir("/")
    # SYSTEMD_NSPAWN_UNIFIED_HIERARCHY must not leak in: in legacy mode libvirt makes real VM scopes.
    os.execvpe(argv[0], argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb"})


if __name__ == "__main__":
    main()
