"""Inside a node: every lifecycle event of libvirt's, as "EPOCH NAME EVENT DETAIL" lines, across its restarts.

Only what is said in the node can show that nobody suspended or resumed a guest who should not.
"""

import threading
import time

import libvirt

WORDS = {
    libvirt.VIR_DOMAIN_EVENT_STARTED: (
        "started",
        ("booted", "migrated", "restored", "snapshot", "wakeup"),
    ),
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: (
        "suspended",
        ("paused", "migrated", "ioerror", "watchdog", "restored", "snapshot", "api", "postcopy", "failed"),
    ),
    libvirt.VIR_DOMAIN_EVENT_RESUMED: ("resumed", ("unpaused", "migrated", "snapshot", "postcopy")),
    libvirt.VIR_DOMAIN_EVENT_STOPPED: (
        "stopped",
        ("shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "snapshot"),
    ),
}


def say(domain: libvirt.virDomain, event: int, detail: int) -> None:
    if event in WORDS:
        word, details = WORDS[event]
        print(f"{time.time():.3f} {domain.name()} {word} {details[detail]}", flush=True)


def lifecycle(_connection: object, domain: libvirt.virDomain, event: int, detail: int, _: object) -> None:
    say(domain, event, detail)


def loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def main() -> None:
    """Watch for ever; "- watching" is said at each new connection."""
    libvirt.registerErrorHandler(lambda *_: None, None)
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=loop, daemon=True).start()
    while True:
        lost = threading.Event()
        try:
            connection = libvirt.open("qemu:///system")
            connection.setKeepAlive(2, 2)
            connection.registerCloseCallback(lambda *_, lost=lost: lost.set(), None)
            connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)
        except libvirt.libvirtError:
            time.sleep(0.1)
            continue
        print(f"{time.time():.3f} - watching -", flush=True)
        lost.wait()


if __name__ == "__main__":
    main()
