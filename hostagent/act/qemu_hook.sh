#!/bin/sh
# hostagent: asks the agent before a guest starts (hostagent hook install wrote this; docs/operate/hook.md).
# Anything but a plain "no" lets the guest start: libvirt kills running guests when a hook fails on reconnect,
# and a host on which python3 is being upgraded must go on.
[ "${2-}" = prepare ] && [ "${3-}" = begin ] || exit 0
# The interpreter by its path: libvirtd's AppArmor profile lets a hook run what is in /usr/bin.
/usr/bin/timeout -s KILL 0.2 /usr/bin/python3 -I -S @helper@ @socket@ >/dev/null
[ $? -ne 77 ] || exit 1
exit 0
