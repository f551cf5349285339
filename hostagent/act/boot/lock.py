"""Who paces boots now: the agent, or the releaser in its place."""

from __future__ import annotations

from hostagent.act.lock_file import LockFile


class BootsLock(LockFile):
    """run_dir/boots.lock; the kernel drops it with the process, however that ends.

    The agent holds it while its pacer lives. The releaser takes it for one guest at a time, so that an agent
    that comes back has it after at most one call into libvirt: it asks again while it does not get it.
    """

    def __init__(self, run_dir: str) -> None:
        super().__init__(run_dir, "boots.lock", needs="pacing needs root")
