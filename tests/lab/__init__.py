"""Real compute nodes in containers: libvirt, Open vSwitch and guests, in a second.

On the command line `python -m tests.lab`; in tests `up`, or the fixtures of tests/conftest.py.
"""

from tests.lab.frames import Capture, Direction, Frame, reach
from tests.lab.lab_guest import mac_of
from tests.lab.lifecycle import down_if_there, reap
from tests.lab.links import link
from tests.lab.node import Node, up
from tests.lab.programs import LabError, ProgramError
from tests.lab.wait import soon

__all__ = [
    "Capture",
    "Direction",
    "Frame",
    "LabError",
    "Node",
    "ProgramError",
    "down_if_there",
    "link",
    "mac_of",
    "reach",
    "reap",
    "soon",
    "up",
]
