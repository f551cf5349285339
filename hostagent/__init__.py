"""Per-node agent and repair toolkit for KVM hosts with libvirt and Open vSwitch."""

__version__ = "0.1.0"
