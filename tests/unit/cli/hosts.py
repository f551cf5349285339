"""Hosts that the command line's tests look at."""

HEALTHY = """
[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"
vlan = 100
[[link]]
name = "vnet0"
ifindex = 5
[[port]]
name = "vnet0"
vm = "alice"
tag = 100
"""

STALE = """
[[port]]
name = "vnet7"
vm = "11111111-1111-4111-8111-111111111111"
tag = 100
ofport = -1
error = "could not open network device vnet7 (No such device)"
"""

INHERITED = HEALTHY.replace("tag = 100", "tag = 200")

ORPHAN = """
[[qos]]
uuid = "0b5ab2d4-5cf5-4a3b-8f2c-000000000001"
external_ids = { vm-id = "11111111-1111-4111-8111-111111111111", ifname = "vnet7" }
"""

GONE = """
[[port]]
name = "tap7"
os_vif = "22222222-2222-4222-8222-222222222222"
ofport = -1
"""

HUNG = 'unavailable = { domains = "unresponsive: libvirt did not answer within 5 s" }\n'

NOTHING = """
[unavailable]
domains = "absent: libvirt is not installed"
guests_memory = "absent: libvirt is not installed"
ovs = "absent: Open vSwitch is not installed"
vswitchd = "absent: Open vSwitch is not installed"
packet_sockets = "absent: Open vSwitch is not installed"
ovs_ctl_options = "absent: Open vSwitch is not installed"
units = "absent: systemd does not run on this host"
"""

# A tenant chose the name: colours, a new line, a bidirectional override, and nagios' separator.
HOSTILE = r"""
[[domain]]
name = "evil\u001b[31m|x\nOK all is well\u202e\u0085"
[[domain.interface]]
tap = "vnet0"
[[link]]
name = "vnet0"
ifindex = 5
[[port]]
name = "vnet0"
vm = "evil\u001b[31m|x\nOK all is well\u202e\u0085"
tag = 200
"""
