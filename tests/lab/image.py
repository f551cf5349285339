"""The base layer: a Debian 12 root file system with what a compute node runs, and the guests' packages."""

import sys
from pathlib import Path
from typing import Final

from tests.lab import cache
from tests.lab.overlay import UNSHARE
from tests.lab.paths import digest
from tests.lab.programs import run

PACKAGES: Final = """
    systemd systemd-sysv dbus udev iproute2 kmod procps iputils-ping tcpdump
    openvswitch-switch libvirt-daemon-system libvirt-clients qemu-system-x86 dnsmasq-base
    python3 python3-libvirt python3-openvswitch python3-pyroute2 python3-psutil
    python3-prometheus-client python3-click
""".split()

# Only downloaded: the guests' kernel, tools and boot loader come out of these.
_FETCH: Final = (
    'mkdir "$1/../deb" && cd "$1/../deb" && '
    "apt-get -o APT::Sandbox::User=root -qq download busybox-static ipxe "
    '$(apt-cache depends linux-image-cloud-amd64 | sed -n "s/.*Depends: //p")'
)

_RECIPE: Final = [
    "mmdebstrap",
    "--mode=root",
    "--quiet",
    "--variant=minbase",
    "--skip=check/empty",
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    f"--include={','.join(PACKAGES)}",
    f"--customize-hook={_FETCH}",
    "bookworm",
]


def base() -> Path:
    """Return the folder with root/ (the file system) and deb/ (packages for the guests)."""
    return cache.layer("base", digest(*_RECIPE), _build)


def _build(folder: Path, lock: int) -> None:
    print("lab: building the base image, about half a minute", file=sys.stderr, flush=True)
    root = folder / "root"
    root.mkdir(mode=0o755)
    # Its own mount namespace: a killed build leaves no mounts. It inherits the lock: nor a half-built rival.
    run([*UNSHARE, *_RECIPE, str(root)], keep_open=[lock], timeout=900)
