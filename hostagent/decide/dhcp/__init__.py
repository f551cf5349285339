"""DHCP as it was read → what is wrong with it, network by network."""

from hostagent.decide.dhcp.judge import CODES, DhcpFinding, Judgement, judge
from hostagent.decide.dhcp.networks import Network, networks
from hostagent.decide.dhcp.states import states
from hostagent.decide.dhcp.targets import targets

__all__ = ["CODES", "DhcpFinding", "Judgement", "Network", "judge", "networks", "states", "targets"]
