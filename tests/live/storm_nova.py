"""Inside a node: starts guests as nova-compute does, ten at a time, and tells what went wrong.

nova's libvirt driver (_create_guest_with_network) starts an instance paused, waits for neutron's events,
resumes it, and then polls until it sees it running (_wait_for_running); its workers are ten
(max_concurrent_builds).
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import libvirt

AT_A_TIME = 10
EVENT_SECONDS = 0.7
DEADLINE_SECONDS = 60.0
libvirt.registerErrorHandler(lambda *_: None, None)


def boot(connection: libvirt.virConnect, name: str) -> str:
    """What went wrong, "" if nothing did."""
    domain = connection.lookupByName(name)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    time.sleep(EVENT_SECONDS)
    if domain.state()[0] != libvirt.VIR_DOMAIN_PAUSED:
        return "somebody resumed it while it waited for its network"
    domain.resume()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while domain.state()[0] != libvirt.VIR_DOMAIN_RUNNING:
        if time.monotonic() > deadline:
            return "it did not come to run"
        time.sleep(0.5)
    return ""


def main() -> None:
    connection = libvirt.open("qemu:///system")

    def tried(name: str) -> tuple[str, str]:
        try:
            return name, boot(connection, name)
        except libvirt.libvirtError as error:
            return name, str(error)

    with ThreadPoolExecutor(AT_A_TIME) as workers:
        found = dict(workers.map(tried, sys.argv[1:]))
    print(json.dumps({name: why for name, why in found.items() if why}))


if __name__ == "__main__":
    main()
