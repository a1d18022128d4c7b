"""The scripts: files of Lua, each with what they share in front."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files


class Script:
    """A script by the name of its file; servers know it by its digest."""

    def __init__(self, name: str) -> None:
        folder = files(__package__) / "lua"
        self.name = name
        self.text = "".join((folder / f"{each}.lua").read_text(encoding="utf-8") for each in ("common", name))
        self.digest = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


COMMIT, CLAIM, CHANGE, PURGE = Script("commit"), Script("claim"), Script("change"), Script("purge")
DUE, QUEUES, TASKS, FIND, COUNT = Script("due"), Script("queues"), Script("tasks"), Script("find"), Script("count")
RING, TIME = Script("ring"), Script("time")
