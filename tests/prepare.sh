#!/bin/bash
# Makes a fresh Debian 12 ready for `make test` and `make demo`, as root: apt packages and the virtual
# environment .venv. Does only what is missing, and nothing at all when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
    ca-certificates python3 python3-venv python3-dev gcc pkg-config libvirt-dev # .venv; libvirt-python has no wheels
    mmdebstrap systemd-container util-linux iproute2 dpkg tar                   # the lab
    build-essential debhelper dh-python lintian python3-click python3-libvirt python3-openvswitch # the package,
    python3-psutil python3-pyroute2                                             # as packaging/deb/debian/control
    strace                                                                      # what the bench counts
    dnsmasq-base busybox nftables                                               # DHCP servers in namespaces
)
stamp=.venv/prepared
wanted=$(cat tests/prepare.sh pyproject.toml | sha256sum)

complete() {
    [[ -f $stamp && $(<"$stamp") == "$wanted" ]] &&
        command -v mmdebstrap systemd-nspawn nsenter ip strace dnsmasq busybox nft gcc dh lintian >/dev/null &&
        [[ -x .venv/bin/python && -x .venv/bin/promtool ]]
}
complete && exit 0

exec 9<.
flock 9 # of two at once the second finds it done
complete && exit 0

scratch=$(mktemp -d)
log=$scratch/log
trap '[[ $? -eq 0 ]] || { echo "prepare: failed, the end of its log:"; tail -n 30 "$log"; } >&2; rm -rf "$scratch"' EXIT
say() { echo "prepare: $*" >&2; }

missing=()
for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
if ((${#missing[@]})); then
    if [[ $EUID -ne 0 ]]; then
        say "needs root to install: ${missing[*]}"
        exit 1
    fi
    say "apt packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    install=(apt-get -y -q -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}")
    # The lists may be absent, or so old that a file is gone from the mirror.
    "${install[@]}" >>"$log" 2>&1 || { apt-get -q update && "${install[@]}"; } >>"$log" 2>&1
fi

if ! .venv/bin/python -c '' 2>/dev/null; then
    say "virtual environment .venv"
    rm -rf .venv
    # Debian's own Python, whatever else is first in PATH: the nodes and the package run that one.
    /usr/bin/python3 -m venv .venv >>"$log" 2>&1
fi
if [[ ! -x .venv/bin/promtool ]]; then
    # Of Debian's prometheus this program alone: the package itself would start a server.
    say "promtool"
    download=(env -C "$scratch" apt-get -q download prometheus)
    "${download[@]}" >>"$log" 2>&1 || { apt-get -q update && "${download[@]}"; } >>"$log" 2>&1
    dpkg-deb --fsys-tarfile "$scratch"/prometheus_*.deb | tar -x -C "$scratch" ./usr/bin/promtool
    install "$scratch/usr/bin/promtool" .venv/bin/
fi
say "Python packages"
pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input -q install)
"${pip[@]}" 'pip>=25.1' >>"$log" 2>&1 # --group
"${pip[@]}" --editable . --group dev >>"$log" 2>&1
echo "$wanted" >"$stamp"
say "done"
