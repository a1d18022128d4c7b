"""How names and numbers become keys, fields and members: so that bytes are in order, and no name reaches into another.

The scripts in lua/ cut and join what is made here; lua/common.lua is the map of a shard's keys.
"""

from __future__ import annotations

import re
import struct
from zlib import crc32

from pyworkflow.engine.store import Summary, Task
from pyworkflow.exceptions import UnsupportedBackend

HIGH = b"\xff" * 9
"""Behind everything that begins as what it is appended to."""

PLACE = 20
"""The bytes of a task's place in the order of its queue: priority, due, number."""

_SIGN = 1 << 63
_ALL = (1 << 64) - 1
_LOWEST = -(2**31)
_END = re.compile(rb"\0(?!\xff)")


def time_bytes(time: float) -> bytes:
    """Eight bytes in the order of the numbers."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", time))
    return struct.pack(">Q", bits ^ (_ALL if bits & _SIGN else _SIGN))


def bytes_time(data: bytes) -> float:
    (bits,) = struct.unpack(">Q", data)
    time: float = struct.unpack(">d", struct.pack(">Q", bits ^ (_SIGN if bits & _SIGN else _ALL)))[0]
    return time


def newest_first(time: float) -> bytes:
    """Eight bytes in the opposite order."""
    return bytes(byte ^ 0xFF for byte in time_bytes(time))


def sized(text: str) -> bytes:
    """A text with its length in front."""
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def split(data: bytes, at: int = 0) -> tuple[str, bytes]:
    """A sized text, and what comes after it."""
    end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    return data[at + 2 : end].decode(), data[end:]


def ordered(text: str) -> bytes:
    """A text whose bytes are in order with whatever follows: its end is marked."""
    return escaped(text) + b"\0"


def escaped(text: str) -> bytes:
    return text.encode().replace(b"\0", b"\0\xff")


# -- tasks ----------


def task_field(process: str, key: str) -> bytes:
    return sized(process) + key.encode()


def task_value(task: Task, due: float) -> bytes:
    """A task as it is stored, without the number that the server gives it."""
    level = (2**31 - 1 - task.priority).to_bytes(4, "big")
    return level + time_bytes(due) + sized(task.queue) + task.body


def stored_task(field: bytes, value: bytes) -> Task:
    process, key = split(field)
    queue, body = split(value, 20)
    priority = 2**31 - 1 - int.from_bytes(value[8:12], "big")
    return Task(process, key.decode(), queue, bytes_time(value[12:20]), priority, body)


def member_due(member: bytes) -> float:
    """When the task of a member of the order by time is due."""
    return bytes_time(split(member, 1)[1][:8])


# -- summaries ----------


def run_key(started: float, id: str, run: str) -> bytes:
    """What a run is listed by: newest first, then by id, then by run."""
    return newest_first(started) + ordered(id) + run.encode()


def group(status: str, workflow: str) -> bytes:
    return ordered(status) + ordered(workflow)


def members(summary: Summary) -> list[bytes]:
    """All places in the indexes of a run."""
    key = run_key(summary.started, summary.id, summary.run)
    heads = [b"g" + group(summary.status, summary.workflow), b"i" + ordered(summary.id)]
    heads += [b"t" + ordered(tag) for tag in summary.tags]
    if summary.parent is not None:
        heads.append(b"p" + ordered(summary.parent))
    if summary.closed is not None:
        heads.append(b"c" + time_bytes(summary.closed))
    return [head + key for head in heads]


def key_of_id_member(member: bytes) -> bytes:
    """The run's key in a member of the index by id."""
    end = _END.search(member)
    assert end is not None
    return member[end.end() :]


# -- keys ----------


class Shard:
    """The names of the keys of one shard; all have one hash tag, hence live on one node."""

    def __init__(self, prefix: str, number: int) -> None:
        self.tag = f"{{{prefix}:{number}}}:".encode()
        self.rows, self.tasks, self.work = self._named("rows"), self._named("tasks"), self._named("work")
        self.runs, self.found, self.groups = self._named("runs"), self._named("found"), self._named("groups")
        self.number = self._named("number")

    def _named(self, name: str) -> bytes:
        return self.tag + name.encode()

    def records(self, process: str, run: str) -> bytes:
        return self.tag + b"h:" + sized(process) + run.encode()

    def reply(self, nonce: bytes) -> bytes:
        return self.tag + b"r:" + nonce


class Keys:
    """The keys of a store whose processes are spread over `shards` shards."""

    def __init__(self, prefix: str, shards: int) -> None:
        if not re.fullmatch(r"[\w.-]{1,64}", prefix):
            raise UnsupportedBackend(f"prefix {prefix!r}: 1 to 64 letters, digits, dots, dashes and underscores")
        if not 1 <= shards <= 1024:
            raise UnsupportedBackend(f"shards is a number from 1 to 1024, not {shards}")
        self.prefix = prefix
        self.shards = [Shard(prefix, number) for number in range(shards)]

    def of(self, process: str) -> Shard:
        """The shard that a process lives in."""
        return self.shards[crc32(process.encode()) % len(self.shards)]

    def bell(self, topic: str) -> bytes:
        """The list on which those who wait for a topic block."""
        return f"{{{self.prefix}:bell}}:{topic}".encode()


def meta_key(prefix: str) -> bytes:
    return f"{{{prefix}:0}}:meta".encode()
