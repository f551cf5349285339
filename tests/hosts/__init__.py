"""Random compute nodes as data: for property tests and campaigns.

A host is made of scenes, each a situation of DRIFT that can exist by itself; ``generate`` puts some
together, hides some rows behind opt-outs and refuses what no real node can show.
"""

from tests.hosts.build import Builder, Host, Scene
from tests.hosts.generate import OPT_OUTS, SCENES, generate
from tests.hosts.possible import ImpossibleHostError, must_be_possible

__all__ = [
    "OPT_OUTS",
    "SCENES",
    "Builder",
    "Host",
    "ImpossibleHostError",
    "Scene",
    "generate",
    "must_be_possible",
]
