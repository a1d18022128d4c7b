"""The scripts: files of Lua, each with what they share in front."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files


class Script:
    """A script by the name of its file, and those of what it shares with others; servers know it by its digest."""

    def __init__(self, name: str, *shared: str) -> None:
        folder = files(__package__) / "lua"
        names = ("common", *shared, name)
        self.text = "".join((folder / f"{each}.lua").read_text(encoding="utf-8") for each in names)
        self.digest = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


COMMIT, CLAIM, CHANGE, PURGE = Script("commit"), Script("claim", "order"), Script("change"), Script("purge")
LOOK = Script("look", "order")
DUE, QUEUES, TASKS, FIND, COUNT = Script("due"), Script("queues"), Script("tasks"), Script("find"), Script("count")
RING, TIME, RIGHTS = Script("ring"), Script("time"), Script("rights")
