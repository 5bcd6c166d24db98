"""How a step ends that does not just end well."""

from __future__ import annotations


class Trouble(Exception):
    """A step found something wrong: what, why (empty where only the functions' logs can tell), and what to do."""

    def __init__(self, said: str, cause: str = "", remedy: str = "") -> None:
        super().__init__(said)
        self.said = said
        self.cause = cause
        self.remedy = remedy


class Doubt(Trouble):
    """Something that may be wrong, or will be."""


class Skip(Exception):
    """The step can't be taken here, and why."""
