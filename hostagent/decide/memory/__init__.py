"""The memory budget: what is promised, what is there, what may start, and how bad it is. Pure."""

from hostagent.decide.memory.budget import measure
from hostagent.decide.memory.history import History, remember

__all__ = ["History", "measure", "remember"]
