"""Settings of one node, from /etc/hostagent/hostagent.toml: TOML → frozen records."""

from hostagent.config.memory import Admit, Ksm, Memory
from hostagent.config.pacing import Pacing
from hostagent.config.parse import DEFAULT_FILE, load, parse, tables
from hostagent.config.policy import Action, CodePolicy, Policy
from hostagent.config.records import Agent, Amqp, Dhcp, Export, Looks, Paths, Repair, Settings, Sources

__all__ = [
    "DEFAULT_FILE",
    "Action",
    "Admit",
    "Agent",
    "Amqp",
    "CodePolicy",
    "Dhcp",
    "Export",
    "Ksm",
    "Looks",
    "Memory",
    "Pacing",
    "Paths",
    "Policy",
    "Repair",
    "Settings",
    "Sources",
    "load",
    "parse",
    "tables",
]
