"""What a file may be: ours, newer, foreign, no database, damaged; each is told apart, and nothing is made worse."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import (
    BackendUnavailable,
    CompleteProcess,
    CorruptRecord,
    Manager,
    Process,
    UnsupportedBackend,
    Worker,
    Workflow,
    open_backend,
)
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.testing.store_bench import make_commit


class Ends(Workflow):
    def decide(self, process: Process) -> Any:
        return CompleteProcess("fine")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "file.db")


def filled(path: str) -> Manager:
    manager = Manager(SQLiteBackend(path), [Ends])
    for id in ("one", "two"):
        manager.start_process(Process(Ends, id, input={"of": id}))
    return manager


def edit(path: str, sql: str, *values: Any) -> None:
    with sqlite3.connect(path) as db:
        db.execute(sql, values)


def test_a_newer_file_is_refused_and_left_as_it_is(path: str) -> None:
    filled(path).close()
    edit(path, "UPDATE pyworkflow_schema SET version = 99")
    before = Path(path).read_bytes()
    with pytest.raises(UnsupportedBackend, match="newer pyworkflow"):
        SQLiteBackend(path)
    assert Path(path).read_bytes() == before


def test_the_tables_live_beside_those_of_another_application(path: str) -> None:
    edit(path, "CREATE TABLE run (x)")
    edit(path, "INSERT INTO run VALUES (1)")
    edit(path, "PRAGMA user_version = 1")
    manager = filled(path)
    Worker(manager).run(burst=True)
    assert manager.result("one", 0) == "fine"
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT x FROM run").fetchall() == [(1,)]
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master") if name != "run"]
    assert all(name.removeprefix("sqlite_autoindex_").startswith("pyworkflow_") for name in names)


def test_what_is_no_database_is_refused(path: str) -> None:
    Path(path).write_text("Dear diary, " * 1000)
    with pytest.raises(UnsupportedBackend, match="cannot be used"):
        SQLiteBackend(path)
    assert Path(path).read_text().startswith("Dear diary")


def test_a_folder_that_is_not_there_and_one_that_is(tmp_path: Path) -> None:
    for where in (tmp_path / "no" / "file.db", tmp_path):
        with pytest.raises(BackendUnavailable, match="cannot open"):
            SQLiteBackend(str(where))


def test_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_backend("sqlite:///relative.db").close()
    open_backend(f"sqlite:///{tmp_path}/with%20space.db").close()
    assert {path.name for path in tmp_path.glob("*.db")} == {"relative.db", "with space.db"}
    for url in ("sqlite://", "sqlite:///", "sqlite:file.db"):
        with pytest.raises(UnsupportedBackend):
            open_backend(url)
    with pytest.raises(UnsupportedBackend, match="there is no file"):
        open_backend("sqlite:///typo.db", create=False)
    with pytest.raises(UnsupportedBackend, match="durability"):
        open_backend("sqlite:///relative.db", durability="some")


def test_urls_with_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    backend = open_backend("sqlite:///shop%3F.db?durability=normal&busy_timeout=2.5", durability="full")
    assert backend.info()["durability"] == "normal"
    backend.close()
    assert {path.name for path in tmp_path.glob("*.db")} == {"shop?.db"}
    for query, what in {
        "durabilty=normal": "unknown option",
        "durability=fast": "'fast'",
        "cache_size=x": "'x'",
    }.items():
        with pytest.raises(UnsupportedBackend, match=what):
            open_backend(f"sqlite:///other.db?{query}")
    assert not Path("other.db").exists()


def test_durability_is_what_was_asked_for(path: str) -> None:
    for durability, level in (("full", 2), ("normal", 1)):
        backend = open_backend(f"sqlite:///{path}", durability=durability)
        connection = backend.store._connection.db  # type: ignore[attr-defined]
        assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert backend.info()["durability"] == durability
        backend.close()


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1)])
def test_only_leases_are_not_synced(path: str, durability: str, level: int) -> None:
    """One that is taken together with what must last is synced as that is."""
    store = SQLiteBackend(path, durability=durability).store
    levels: list[tuple[str, int]] = []
    connection = store._connection  # type: ignore[attr-defined]
    end = connection.end

    def ending(ok: bool) -> None:
        levels.append((now, connection.db.execute("PRAGMA synchronous").fetchone()[0]))
        end(ok)

    connection.end = ending
    for now in ("commit", "claim", "commit"):
        if now == "commit":
            store.commit([make_commit(f"p{len(levels)}")])
        else:
            store.claim(["q"], 1.0, 2.0, 1)
    now = "both"
    with store.batch():
        store.claim(["q"], 1.0, 2.0, 1)
        store.commit([make_commit("p9")])
    assert levels == [("commit", level), ("claim", 1), ("commit", level), ("both", level)]
    store.close()


def test_opening_one_new_file_at_the_same_time(path: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        backends = list(pool.map(lambda _: SQLiteBackend(path), range(8)))
    backends[0].start_process(Process("w", "p"))
    assert [backend.process_by_id("p").id for backend in backends] == ["p"] * 8


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_changed_event_is_found_and_named(path: str, seq: int) -> None:
    manager = filled(path)
    Worker(manager).run(burst=True)
    manager.close()
    key = "(SELECT key FROM pyworkflow_run WHERE id = 'one')"
    with sqlite3.connect(path) as db:
        (body,) = db.execute(f"SELECT body FROM pyworkflow_event WHERE run = {key} AND seq = ?", (seq,)).fetchone()
    for at in range(len(body)):
        damaged = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        edit(path, f"UPDATE pyworkflow_event SET body = ? WHERE run = {key} AND seq = ?", damaged, seq)
        backend = SQLiteBackend(path)
        with pytest.raises(CorruptRecord, match=f"event {seq} of process 'one'"):
            backend.process_by_id("one")
        assert backend.process_by_id("two").status == "completed"
        backend.close()


def test_a_missing_event_is_found_and_named(path: str) -> None:
    manager = filled(path)
    Worker(manager).run(burst=True)
    edit(path, "DELETE FROM pyworkflow_event WHERE run = (SELECT key FROM pyworkflow_run WHERE id = 'one') AND seq = 3")
    for ask in (manager.process_by_id, manager.wait, manager.history, manager.describe):
        with pytest.raises(CorruptRecord, match="event 3 of process 'one'"):
            ask("one")


def test_events_that_changed_places_are_found(path: str) -> None:
    manager = filled(path)
    Worker(manager).run(burst=True)
    one, two = "(SELECT key FROM pyworkflow_run WHERE id = 'one')", "(SELECT key FROM pyworkflow_run WHERE id = 'two')"
    edit(path, f"UPDATE pyworkflow_event SET run = -run WHERE seq = 1 AND run IN ({one}, {two})")
    edit(path, f"UPDATE pyworkflow_event SET run = {two} WHERE run = -{one}")
    edit(path, f"UPDATE pyworkflow_event SET run = {one} WHERE run = -{two}")
    for process in ("one", "two"):
        with pytest.raises(CorruptRecord, match=f"event 1 of process '{process}'"):
            manager.history(process)


def test_a_head_that_is_another_process_s_is_found(path: str) -> None:
    filled(path).close()
    edit(path, "UPDATE pyworkflow_run SET head = (SELECT head FROM pyworkflow_run WHERE id = 'two') WHERE id = 'one'")
    backend = SQLiteBackend(path)
    with pytest.raises(CorruptRecord, match="the head of process 'one'"):
        backend.process_by_id("one")
    backend.close()


def test_a_damaged_history_blocks_its_process_and_no_other(path: str) -> None:
    manager = filled(path)
    key = "(SELECT key FROM pyworkflow_run WHERE id = 'one')"
    edit(path, f"UPDATE pyworkflow_event SET body = CAST(replace(body, 'one', 'two') AS BLOB) WHERE run = {key}")
    Worker(manager).run(burst=True)
    assert manager.result("two", 0) == "fine"
    blocked = manager.describe("one").blocked
    assert blocked is not None
    assert "event 1 of process 'one'" in blocked[0]
    assert [process.id for process in manager.processes(status="blocked")] == ["one"]


def test_a_damaged_head_keeps_nobody_waiting(path: str, caplog: pytest.LogCaptureFixture) -> None:
    filled(path).close()
    edit(path, "UPDATE pyworkflow_run SET head = X'31' || head WHERE id = 'one'")
    manager = Manager(SQLiteBackend(path), [Ends])
    Worker(manager).run(burst=True)
    assert manager.result("two", 0) == "fine"
    assert "head of process 'one'" in caplog.text
    with pytest.raises(CorruptRecord, match="head of process 'one'"):
        manager.signal_process("one", "s")


def test_a_fork_opens_the_file_anew(path: str) -> None:
    backend = SQLiteBackend(path)
    backend.start_process(Process("w", "parent"))
    child = os.fork()
    if not child:
        try:
            backend.start_process(Process("w", "child"))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    backend.start_process(Process("w", "after"))
    assert {process.id for process in backend.processes()} == {"parent", "child", "after"}
