"""Fan-out and fan-in over files: their words are counted side by side, and the counts added.

python3 -m examples.code.words FILE…
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

from pyworkflow import Manager, Process, RetryPolicy, SyncContext, Worker, activity, workflow


@activity(execution_timeout=60, retry=RetryPolicy(maximum_attempts=3, non_retryable=(FileNotFoundError,)))
def count(path: str) -> dict[str, int]:
    return Counter(re.findall(r"[a-z]+", Path(path).read_text(encoding="utf-8").lower()))


@activity(execution_timeout=60)
def add(counts: list[dict[str, int]]) -> dict[str, int]:
    return dict(sum((Counter(each) for each in counts), Counter()).most_common(10))


@workflow(activities=[count, add])
def words(ctx: SyncContext, paths: list[str]) -> dict[str, int]:
    """The ten most frequent words."""
    ctx.map_reduce(count, paths, add)
    found: dict[str, int] = ctx.get_result()
    return found


def main(paths: list[str]) -> None:
    manager = Manager("memory://", [words])
    id = manager.start_process(Process(words, input=paths))
    Worker(manager, concurrency=8).run(burst=True)
    for word, number in manager.result(id).items():
        print(f"{number:6} {word}")


if __name__ == "__main__":
    main(sys.argv[1:])
