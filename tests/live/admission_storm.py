"""Inside a node: many guests started at once, each over a connection of its own, while virsh lists.

Prints one JSON object: each start's error (null where it went well), and how long the lists took.
"""

import json
import subprocess
import sys
import threading
import time

import libvirt

libvirt.registerErrorHandler(lambda *_: None, None)
names = sys.argv[1:]
together = threading.Barrier(len(names) + 1)
errors: dict[str, str | None] = {}
lists: list[float] = []


def start(name: str) -> None:
    connection = libvirt.open("qemu:///system")
    domain = connection.lookupByName(name)
    together.wait()
    try:
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        errors[name] = None
    except libvirt.libvirtError as error:
        errors[name] = str(error)
    connection.close()


threads = [threading.Thread(target=start, args=(name,)) for name in names]
for thread in threads:
    thread.start()
together.wait()
while any(thread.is_alive() for thread in threads) or not lists:
    began = time.perf_counter()
    subprocess.run(["/usr/bin/virsh", "-q", "list"], check=True, stdout=subprocess.DEVNULL)
    lists.append(time.perf_counter() - began)
print(json.dumps({"errors": errors, "lists": lists}))
