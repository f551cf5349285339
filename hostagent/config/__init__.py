"""Settings of one node, from /etc/hostagent/hostagent.toml: TOML → frozen records."""

from hostagent.config.pacing import Pacing
from hostagent.config.parse import DEFAULT_FILE, load, parse, tables
from hostagent.config.policy import Action, CodePolicy, Policy
from hostagent.config.records import Agent, Amqp, Export, Looks, Paths, Repair, Settings, Sources

__all__ = [
    "DEFAULT_FILE",
    "Action",
    "Agent",
    "Amqp",
    "CodePolicy",
    "Export",
    "Looks",
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
