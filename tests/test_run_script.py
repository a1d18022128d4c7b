"""The scripts that set everything up, tried without a network: a shell script plays the part of uv."""

import ast
import configparser
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import SimpleNamespace

import pytest

PROJECT = Path(__file__).parents[1]

UV = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/log"
case "$1" in
    venv) mkdir -p "$4/bin" && echo "home = $(dirname "$3")" > "$4/pyvenv.cfg" && ln -s "$3" "$4/bin/python" ;;
    pip) sleep "$(cat pause)"; echo "no such package"; test ! -e offline ;;
esac
"""

MODULES = {
    "examples/orders.py": "import os, sys; print(os.getpid(), os.getcwd(), sys.prefix, sys.argv[1:]); sys.exit(7)",
    "pytest.py": "import sys; print('pytest', sys.argv[1:]); sys.exit('bad' in sys.argv)",
    "ruff.py": "import os, sys; print(*sys.argv[1:]); sys.exit(3 * os.path.exists('untidy'))",
    "mypy.py": "import sys; print('mypy'); sys.exit(0)",
}


class Checkout:
    """A copy of the script with a project that needs nothing, on a machine that has only our uv."""

    def __init__(self, root, bin):
        self.root, self.bin = root, bin
        self.stamp = root / ".venv" / "pyworkflow.stamp"
        self.environ = {"PATH": f"{bin}{os.pathsep}{os.defpath}"}

    def start(self, *arguments, python=sys.executable):
        command = [python, self.root / "run", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.bin,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # a test run in the background of a shell ignores Ctrl-C, and so would what it starts
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )

    def run(self, *arguments, **options):
        process = self.start(*arguments, **options)
        out, err = process.communicate()
        return SimpleNamespace(out=out, err=err, code=process.returncode)

    def calls(self, of=""):
        """What uv was asked to do since we last looked."""
        log = self.bin / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [line for line in lines if line.startswith(of)]

    def edit(self, name, old, new):
        text = (self.root / name).read_text()
        assert old in text
        (self.root / name).write_text(text.replace(old, new))


@pytest.fixture
def checkout(tmp_path):
    root, bin = tmp_path / "check out", tmp_path / "bin"
    for folder in (root / "examples", root / ".ci", bin):
        folder.mkdir(parents=True)
    for name in ("run", ".ci/run", "setup.cfg", "pyproject.toml"):
        shutil.copy(PROJECT / name, root / name)
    for name, text in MODULES.items():
        (root / name).write_text(text)
    (root / "pause").write_text("0")
    (bin / "uv").write_text(UV)
    (bin / "uv").chmod(0o755)
    return Checkout(root, bin)


def load(path):
    loader = SourceFileLoader("run_script", str(path))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def script(checkout, monkeypatch):
    monkeypatch.delenv("PYWORKFLOW_VENV", raising=False)
    return load(checkout.root / "run")


@pytest.fixture
def machine(script, monkeypatch):
    """A machine on which only the commands work of which a part is listed in ``has``."""
    machine = SimpleNamespace(has=[], tried=[])

    def failure(command):
        line = " ".join(map(str, command))
        machine.tried.append(line)
        return None if any(part in line for part in machine.has) else f"broken: {line}"

    monkeypatch.setattr(script, "failure", failure)
    return machine


# Commands


@pytest.mark.parametrize("arguments", [[], ["help"], ["-h"], ["--help"]])
def test_help_lists_every_command_and_sets_nothing_up(checkout, arguments):
    result = checkout.run(*arguments)
    listed = [line.split()[0] for line in result.out.splitlines() if line.startswith("  ")]
    assert listed == ["demo", "test", "lint", "bench", "chaos", "mutants", "help"]
    assert (result.code, result.err, checkout.calls()) == (0, "", [])


def test_unknown_command(checkout):
    result = checkout.run("tset")
    assert (result.code, result.out, checkout.calls()) == (2, "", [])
    assert result.err.startswith("run: unknown command 'tset'\n")
    assert "\n  test " in result.err


def test_arguments_that_a_command_would_ignore_are_refused(checkout):
    result = checkout.run("lint", "tests")
    assert (result.code, result.err, checkout.calls()) == (2, "run: 'lint' takes no arguments\n", [])


def test_becomes_the_command(checkout):
    process = checkout.start("demo", "--chaos", "a b")
    out, _ = process.communicate()
    assert out == f"{process.pid} {checkout.root} {checkout.root}/.venv ['--chaos', 'a b']\n"
    assert process.returncode == 7


def test_the_command_finds_the_installed_programs(checkout):
    (checkout.root / "examples" / "orders.py").write_text("import shutil; print(shutil.which('tool'))")
    checkout.run("demo")
    tool = checkout.root / ".venv" / "bin" / "tool"
    tool.touch(mode=0o755)
    assert checkout.run("demo").out == f"{tool}\n"


def test_lint_runs_all_checks_and_exits_with_the_worst(checkout):
    (checkout.root / "untidy").touch()
    result = checkout.run("lint")
    assert result.out.splitlines() == ["check .", "format --check .", "mypy"]
    assert result.code == 3


@pytest.mark.parametrize("untidy, tests, code", [(False, 0, 0), (True, 0, 1), (False, 1, 1)])
def test_ci_runs_lint_and_tests_and_passes_if_both_do(checkout, untidy, tests, code):
    if untidy:
        (checkout.root / "untidy").touch()
    checkout.edit("pytest.py", "'bad' in sys.argv", str(tests))
    # the script asks for python3, which may be too old on this machine
    (checkout.bin / "python3").symlink_to(sys.executable)
    command = ["bash", checkout.root / ".ci" / "run"]
    result = subprocess.run(command, cwd=checkout.bin, env=checkout.environ, capture_output=True, text=True)
    assert result.stdout.splitlines() == [
        "check .",
        "format --check .",
        "mypy",
        f"pytest ['-n', '{(os.cpu_count() or 1) + 1}', '--dist', 'worksteal']",
    ]
    assert result.returncode == code


# When the environment is made, and when not


def test_first_call_sets_up_with_one_line_and_the_second_starts_at_once(checkout):
    first, calls = checkout.run("demo"), checkout.calls()
    assert first.err.count("\n") == 1 and first.err.startswith("Setting up .venv (first run only)")
    assert [call.split()[0] for call in calls] == ["venv", "--version", "pip"]
    assert calls[-1].endswith("/bin/python --editable .")

    second = checkout.run("demo")
    assert (second.err, second.code, checkout.calls()) == ("", 7, [])


def test_more_extras_are_added_to_the_environment_and_fewer_are_found_there(checkout):
    checkout.run("demo")
    checkout.calls()
    checkout.run("test")
    [added] = checkout.calls("pip")
    assert "pytest" in added and "ruff" not in added
    assert "--editable" not in added  # a demo that is running would miss the package meanwhile
    checkout.run("lint")
    [added] = checkout.calls("pip")
    assert "pytest" in added and "ruff" in added

    for command in ("demo", "test", "lint"):
        assert checkout.run(command).err == ""
    assert checkout.calls() == []


@pytest.mark.parametrize("name", ["setup.cfg", "pyproject.toml"])
def test_changed_project_is_installed_again_into_the_same_environment(checkout, name):
    checkout.run("lint")
    checkout.calls()
    with (checkout.root / name).open("a") as file:
        file.write("\n# changed\n")
    assert "(update)" in checkout.run("demo").err
    calls = checkout.calls()
    assert not [call for call in calls if call.startswith("venv")]
    assert "ruff" in calls[-1] and calls[-1].endswith("--editable .")
    assert checkout.run("lint").err == ""


def test_moved_folder_is_set_up_anew(checkout):
    checkout.run("demo")
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    checkout.run("demo")
    assert len(checkout.calls("venv")) == 2


def test_lost_python_is_noticed(checkout):
    checkout.run("demo")
    python = checkout.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert checkout.run("demo").code == 7
    assert len(checkout.calls("venv")) == 2


@pytest.mark.parametrize("text", ["", "half a stamp", "a b base", "one two base too many"])
def test_damaged_stamp_is_no_stamp(checkout, text):
    checkout.run("demo")
    checkout.stamp.write_text(text)
    assert checkout.run("demo").code == 7
    assert len(checkout.calls("venv")) == 2


def test_another_python_version_needs_another_environment(script, monkeypatch):
    this = script.needed("base")
    monkeypatch.setattr(script, "sys", SimpleNamespace(version_info=(3, 99)))
    assert script.needed("base").place != this.place
    assert script.needed("base").project == this.project


def test_nothing_of_the_old_environment_is_left_in_the_new(checkout):
    checkout.run("demo")
    checkout.stamp.unlink()
    (checkout.stamp.parent / "bin" / "old").touch()
    checkout.run("demo")
    assert os.listdir(checkout.stamp.parent / "bin") == ["python"]


def test_may_be_started_from_inside_the_environment_that_it_replaces(checkout):
    checkout.run("demo")
    checkout.stamp.unlink()
    assert checkout.run("demo", python=checkout.stamp.parent / "bin" / "python").code == 7
    assert len(checkout.calls("venv")) == 2


@pytest.mark.parametrize("earlier", [[], ["demo"]], ids=["first set-up", "update"])
def test_interrupted_set_up_is_made_anew(checkout, earlier):
    for command in earlier:
        checkout.run(command)
    checkout.calls()
    (checkout.root / "pause").write_text("60")
    process = checkout.start("test")
    log = checkout.bin / "log"
    while not (log.exists() and "pip" in log.read_text()):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err

    (checkout.root / "pause").write_text("0")
    checkout.calls()
    assert checkout.run("demo").code == 7
    assert len(checkout.calls("venv")) == 1


def test_failed_set_up_shows_why_and_is_made_anew(checkout):
    (checkout.root / "offline").touch()
    result = checkout.run("demo")
    assert (result.code, result.out) == (1, "")
    assert "no such package" in result.err
    (checkout.root / "offline").unlink()
    assert checkout.run("demo").code == 7
    assert len(checkout.calls("venv")) == 2


def test_failed_update_leaves_what_worked(checkout):
    checkout.run("demo")
    (checkout.root / "offline").touch()
    assert checkout.run("test").code == 1
    checkout.calls()
    assert checkout.run("demo").code == 7
    assert checkout.calls() == []

    (checkout.root / "offline").unlink()
    assert checkout.run("test").code == 0
    assert len(checkout.calls("pip")) == 1


def test_calls_at_the_same_time_set_up_once(checkout):
    (checkout.root / "pause").write_text("0.3")
    processes = [checkout.start(command) for command in ("demo", "test", "demo", "test")]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [7, 0, 7, 0]
    calls = checkout.calls()
    assert len([call for call in calls if call.startswith("venv")]) == 1
    assert len([call for call in calls if call.endswith("--editable .")]) == 1


def test_the_environment_may_be_elsewhere(checkout):
    checkout.environ["PYWORKFLOW_VENV"] = str(checkout.bin / "other")
    assert checkout.run("demo").code == 7
    assert (checkout.bin / "other" / "bin" / "python").exists()
    assert not (checkout.root / ".venv").exists()


def test_a_folder_that_is_no_environment_is_not_replaced_by_one(checkout):
    checkout.environ["PYWORKFLOW_VENV"] = str(checkout.root / "examples")
    result = checkout.run("demo")
    assert result.code == 1
    assert "no virtual environment" in result.err
    assert (checkout.root / "examples" / "orders.py").exists()


# With what it is made


@pytest.mark.parametrize(
    "has, made_by",
    [
        (["venv"], "uv venv --python {base} {venv}"),
        (["-m venv"], "{base} -m venv --clear {venv}"),
        (["--without-pip"], "{base} -m venv --clear {venv} --without-pip"),
    ],
)
def test_environment_is_made_with_the_first_that_works(script, machine, has, made_by):
    machine.has = has
    script.make_environment()
    assert machine.tried[-1] == made_by.format(base=script.BASE, venv=script.VENV)


def test_no_way_to_make_an_environment(script, machine):
    with pytest.raises(SystemExit, match=r"(?s)broken: .* -m venv .*install python3-venv"):
        script.make_environment()


@pytest.mark.parametrize(
    "has, command",
    [
        (["uv", "pip"], "uv pip install --python {python}"),
        (["pip"], "{python} -m pip --python {python} install"),
        (["{base} -m pip", "pip3"], "{base} -m pip --python {python} install"),
        (["python3 -m pip --python", "pip3"], "python3 -m pip --python {python} install"),
        (["pip3 --python"], "pip3 --python {python} install"),
    ],
)
def test_packages_are_installed_with_the_first_that_works(script, machine, has, command):
    names = {"base": script.BASE, "python": script.PYTHON}
    machine.has = [part.format(**names) for part in has]
    assert " ".join(map(str, script.installer())) == command.format(**names)


def test_no_way_to_install_packages(script, machine):
    with pytest.raises(SystemExit, match=r"Install uv, or .*install python3-venv"):
        script.installer()


def test_an_environment_without_pip_is_really_made(script):
    assert script.failure([script.BASE, "-m", "venv", "--clear", script.VENV, "--without-pip"]) is None
    assert script.failure([script.PYTHON, "-c", "import pip"]).endswith("-c import pip")


# Old Pythons


def test_parses_on_python_3_6():
    ast.parse((PROJECT / "run").read_text(), feature_version=(3, 6))


def test_agrees_with_the_package_on_the_oldest_python(script):
    config = configparser.ConfigParser()
    config.read(PROJECT / "setup.cfg")
    assert config["options"]["python_requires"] == ">={}.{}".format(*script.OLDEST)


@pytest.fixture
def old_python(script, monkeypatch):
    monkeypatch.setattr(script, "sys", SimpleNamespace(version_info=(3, 9, 2, "final", 0), exit=sys.exit))


@pytest.mark.usefixtures("old_python")
def test_old_python_alone_gets_one_clear_sentence(script, monkeypatch):
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as exit:
        script.main(["demo"])
    assert exit.value.code == "run: pyworkflow needs Python 3.11 or newer, but this is 3.9."


@pytest.mark.usefixtures("old_python")
def test_old_python_hands_over_to_a_newer_one_that_works(script, machine, monkeypatch):
    def execv(path, argv):
        raise SystemExit([path, *argv])

    monkeypatch.setattr(script.shutil, "which", lambda name: None if "14" in name else f"/bin/{name}")
    monkeypatch.setattr(script.os, "execv", execv)
    machine.has = ["python3.12", "python3.11"]
    with pytest.raises(SystemExit) as exit:
        script.main(["test", "-x"])
    assert exit.value.code == ["/bin/python3.12", "/bin/python3.12", str(script.SCRIPT), "test", "-x"]
