"""Domains as namespaces of one backend: every name of a domain's is written with the domain's own prefix.

One domain may be bare: its names are the backend's, so that processes which were started without this server are in it.
Whatever else the server keeps begins with `~`.
"""

from __future__ import annotations

from .faults import invalid
from .texts import ExactTexts, JsonTexts

LONGEST = 256
REGISTRY = "~swf"
"""The workflow, and the category, of the processes whose histories are the domains' registers."""


class Domain:
    """The names of one domain inside (with its prefix) and outside (as clients know them)."""

    def __init__(self, name: str, bare: bool = False) -> None:
        self.name = name
        self.bare = bare
        self.register = f"~{_quote(name)}"
        self.prefix = "" if bare else f"{self.register}~"
        self.texts = JsonTexts() if bare else ExactTexts()

    def inside(self, name: str) -> str:
        """Raises Fault where the name is too long."""
        found = f"~~{name}" if self.bare and name.startswith("~") else self.prefix + name
        if len(found) > LONGEST:
            longest = LONGEST - len(found) + len(name)
            raise invalid(f"Value '{name}' is too long: a name of domain {self.name} has at most {longest} characters")
        return found

    def outside(self, name: str) -> str:
        return name.removeprefix("~~" if self.bare else self.prefix)

    def holds(self, name: str) -> bool:
        """Is this a name of the domain's, inside?"""
        if self.bare:
            return name.startswith("~~") or not name.startswith("~")
        return name.startswith(self.prefix)


def domain_of(process: str) -> str | None:
    """The name of the domain that a process belongs to, None for the bare one's."""
    if not process.startswith("~") or process.startswith("~~"):
        return None
    return _unquote(process[1:].partition("~")[0])


def _quote(name: str) -> str:
    return name.replace("%", "%25").replace("~", "%7E")


def _unquote(name: str) -> str:
    return name.replace("%7E", "~").replace("%25", "%")
