"""The store on a server or a cluster. Whatever decides anything is in the engine."""

from __future__ import annotations

import os
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pyworkflow.engine.bell import topics_of
from pyworkflow.engine.server_clock import ServerClock
from pyworkflow.engine.store import Commit, Excerpt, Query, QueueInfo, Row, Store, Summary, Task

from .address import Address
from .layout import PLACE, Keys, Shard, member_due, sized, split, stored_task, task_field, task_value, time_bytes
from .listener import NAP, Listener
from .opening import check_rights, check_servers, durable, settle_shards
from .pack import pack_commits, pack_runs, row
from .pipe import Call
from .queries import Finder
from .scripts import CHANGE, CLAIM, COMMIT, DUE, LOOK, PURGE, QUEUES, TASKS, TIME
from .server import Server


class RedisStore(Store):
    """A store under the keys that begin with `prefix`; the options are RedisBackend's."""

    def __init__(
        self,
        address: Address,
        *,
        shards: int | None = None,
        prefix: str = "pyworkflow",
        wait_replicas: int = 0,
        unsafe: bool = False,
        patience: float = 2.0,
        clock: Callable[[], float] | None = None,
        create: bool = True,
    ) -> None:
        Keys(prefix, 1 if shards is None else shards)  # What cannot be is refused before anything is written.
        self._server = Server(address.connect, address.where, patience, wait_replicas)
        self._told = check_servers(self._server, unsafe)
        self._keys = Keys(prefix, settle_shards(self._server, prefix, shards, create))
        check_rights(self._server, self._keys)
        self._shards = self._keys.shards
        self._listener = Listener(self._server, self._keys)
        weakref.finalize(self, self._listener.leave).atexit = False  # A store that nobody closed listens no longer.
        self._finder = Finder(self._server, self._shards)
        self._pid = os.getpid()
        self._clock = clock or ServerClock(self._time)

    def _time(self) -> float:
        seconds, micros = self._server.run([Call.script(TIME, [self._shards[0].rows])])[0]
        return int(seconds) + int(micros) / 1e6

    def now(self) -> float:
        return self._clock()

    def read(self, process: str, run: str | None = None) -> Row | None:
        shard, field = self._keys.of(process), process.encode()
        fields = [b"s" + field, b"h" + field]
        if run is not None:
            earlier = task_field(process, run)
            fields += [b"S" + earlier, b"H" + earlier]
        found = self._server.ask(shard.rows, "HMGET", shard.rows, *fields)
        return row(found[0], found[1], run) or (None if run is None else row(found[2], found[3]))

    def history(self, process: str, run: str, skip: int = 0, limit: int | None = None) -> list[bytes]:
        if limit == 0:
            return []
        key = self._keys.of(process).records(process, run)
        found: list[bytes] = self._server.ask(key, "LRANGE", key, skip, -1 if limit is None else skip + limit - 1)
        return found

    def histories(self, wanted: Sequence[Excerpt]) -> list[list[bytes]]:
        calls = []
        for process, run, skip, limit in wanted:
            key = self._keys.of(process).records(process, run)
            calls.append(Call(key, "LRANGE", key, skip, skip + limit - 1))
        return self._server.run(calls)

    def commit(self, commits: Sequence[Commit]) -> list[bool]:
        places: dict[Shard, list[int]] = {}
        for place, commit in enumerate(commits):
            places.setdefault(self._keys.of(commit.process), []).append(place)
        calls = [self._committing(shard, [commits[place] for place in some]) for shard, some in places.items()]
        topics = self._news(commits)
        answers = self._server.run(calls, [self._listener.ringing(topics)] if topics else [], confirm=True)
        done = [False] * len(commits)
        for some, answer in zip(places.values(), answers, strict=True):
            for place, applied in zip(some, answer, strict=True):
                done[place] = applied == ord("1")
        return done

    def _committing(self, shard: Shard, commits: Sequence[Commit]) -> Call:
        lists, words = pack_commits(shard, commits)
        keys = [shard.reply(os.urandom(9)), shard.rows, shard.tasks, shard.work, shard.runs, shard.found]
        return Call.script(COMMIT, [*keys, shard.groups, shard.number, *lists], *words)

    def _news(self, commits: Sequence[Commit]) -> set[str]:
        """Whom to wake. What is due after a nap is found by whoever looks then."""
        soon = self.now() + NAP
        topics = {topic for commit in commits for topic in topics_of(commit)}
        return topics - {task.queue for commit in commits for task in commit.add if task.due > soon} | {
            task.queue for commit in commits for task in commit.add if task.due <= soon
        }

    # -- tasks ----------

    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[tuple[Task, Row | None]]:
        if not queues or limit < 1:
            return []
        names: list[bytes | int] = [len(queues), *map(sized, queues)]
        order = [0] * limit if len(self._shards) == 1 else self._look(names, now, limit)
        shares = Counter(order)
        calls = [self._claiming(self._shards[at], names, now, until, share) for at, share in shares.items()]
        answers = self._server.run(calls)
        got = {at: iter(_claimed(*answer)) for at, answer in zip(shares, answers, strict=True)}
        return [task for at in order if (task := next(got[at], None)) is not None]

    def _look(self, names: list[bytes | int], now: float, limit: int) -> list[int]:
        """From which shards to take what is due, so that it comes in one order."""
        words = [time_bytes(now), limit, *names]
        answers = self._server.run([Call.script(LOOK, [shard.work], *words) for shard in self._shards])
        places = [(found[i : i + PLACE], at) for at, found in enumerate(answers) for i in range(0, len(found), PLACE)]
        return [at for _, at in sorted(places)[:limit]]

    def _claiming(self, shard: Shard, names: list[bytes | int], now: float, until: float, limit: int) -> Call:
        keys = [shard.work, shard.reply(os.urandom(9)), shard.rows, shard.tasks]
        return Call.script(CLAIM, keys, time_bytes(now), limit, *names, time_bytes(until))

    def postpone(self, task: Task, due: float) -> None:
        self._change(task, task_value(task, due), [self._listener.ringing([task.queue])])

    def discard(self, task: Task) -> None:
        self._change(task, b"", [])

    def _change(self, task: Task, value: bytes, more: list[Call]) -> None:
        shard = self._keys.of(task.process)
        words = (task_field(task.process, task.key), task_value(task, task.due), value)
        self._server.run([Call.script(CHANGE, [shard.tasks, shard.work], *words)], more)

    def next_due(self, queues: Sequence[str]) -> dict[str, float]:
        names = [sized(queue) for queue in queues]
        answers = self._server.run([Call.script(DUE, [shard.work], *names) for shard in self._shards])
        found = [[member_due(member) for member in members if member] for members in zip(*answers, strict=True)]
        return {queue: min(dues) for queue, dues in zip(queues, found, strict=True) if dues}

    def tasks(self, process: str) -> list[Task]:
        shard = self._keys.of(process)
        found = self._server.run([Call.script(TASKS, [shard.tasks, shard.work], sized(process))])[0]
        return [stored_task(field, value) for field, value in zip(found[::2], found[1::2], strict=True)]

    # -- questions ----------

    def find(self, query: Query) -> list[Summary]:
        return self._finder.find(query)

    def count(self, query: Query) -> int:
        return self._finder.count(query)

    def queues(self, now: float) -> list[QueueInfo]:
        infos: dict[str, QueueInfo] = {}
        calls = [Call.script(QUEUES, [shard.work], time_bytes(now)) for shard in self._shards]
        for found in self._server.run(calls):
            for queue, ready, later in zip(found[::3], found[1::3], found[2::3], strict=True):
                name = split(queue)[0]
                info = infos.setdefault(name, QueueInfo(name, 0, 0))
                info.ready += ready
                info.later += later
        return [infos[name] for name in sorted(infos)]

    def purge(self, closed_before: float, limit: int) -> int:
        gone = self._finder.closed(closed_before, limit)
        for shard, found in gone.items():
            records = [shard.records(summary.id, summary.run) for _, _, summary in found]
            runs = pack_runs([(value, summary) for _, value, summary in found])
            self._server.run([Call.script(PURGE, [shard.rows, shard.runs, shard.found, *records], *runs)])
        return sum(map(len, gone.values()))

    # -- waking up ----------

    def ticket(self) -> object:
        return self._listener.ticket()

    def wait(self, ticket: object, topics: Iterable[str], timeout: float) -> None:
        assert isinstance(ticket, int)
        self._listener.wait(ticket, topics, timeout)

    def ring(self, topics: Iterable[str]) -> None:
        self._listener.ring(topics)

    def info(self) -> dict[str, object]:
        with self._server.speaking():
            memory = sum(client.info("memory")["used_memory"] for client in self._server.primaries())
        return {
            "backend": "redis",
            "url": self._server.where,
            **self._told,
            "durable": durable(self._told),
            "prefix": self._keys.prefix,
            "shards": len(self._shards),
            "bytes": memory,
            "runs": self.count(Query()),
        }

    def close(self) -> None:
        self._listener.close()
        if self._pid == os.getpid():
            self._server.close()


def _claimed(tasks: list[bytes], processes: list[bytes], rows: list[Any]) -> list[tuple[Task, Row | None]]:
    found = {process.decode(): row(*rows[2 * at : 2 * at + 2]) for at, process in enumerate(processes)}
    got = [stored_task(field, value) for field, value in zip(tasks[::2], tasks[1::2], strict=True)]
    return [(task, found[task.process]) for task in got]
