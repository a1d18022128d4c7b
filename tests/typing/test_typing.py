"""mypy reads tests/typing/api.py as a user's code, and notices what is wrong in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def mypy(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "setup.cfg"), str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("name", ["api.py", "code.py"])
def test_a_users_code_is_well_typed(name: str) -> None:
    checked = mypy(Path(__file__).with_name(name))
    assert checked.returncode == 0, checked.stdout


def test_a_wrong_use_is_noticed(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from pyworkflow import Manager, Timer\nManager(3)\nTimer('soon')\n")
    checked = mypy(wrong)
    assert checked.stdout.count("[arg-type]") == 2, checked.stdout


def test_a_wrong_result_of_a_call_is_noticed(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from pyworkflow import Context, activity, workflow\n"
        "@activity\ndef one() -> int:\n    return 1\n"
        "async def run(ctx: Context) -> None:\n    x = await ctx.call(one)\n    y: str = x\n"
        "activity(execution_timeout='soon')\nworkflow(guards=True)\n"
    )
    checked = mypy(wrong)
    assert checked.stdout.count("[assignment]") == 1, checked.stdout
    assert checked.stdout.count("[call-overload]") == 2, checked.stdout
