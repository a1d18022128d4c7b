"""What a command works with: the manager that -A and -b name, opened when it is first needed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from .text import did_you_mean, inert

if TYPE_CHECKING:
    from ..backend import Backend
    from ..manager import Manager

CREATING = ("start", "worker", "migrate", "swf-server")
"""The commands that make a file that is not there; others would only leave an empty one behind."""

NO_BACKEND = (
    "which backend? Say -b sqlite:///orders.db or -A module:attribute, or set PYWORKFLOW_BACKEND or PYWORKFLOW_APP."
)


IN_MEMORY = "memory:// is of this operating-system process alone:"
SAY_A_FILE = "Say -b sqlite:///orders.db."


class Session:
    """The choices of -A and -b, and the manager that follows from them."""

    def __init__(self) -> None:
        self.app: str | None = None
        self.url: str | None = None
        self._manager: Manager | None = None

    @property
    def manager(self) -> Manager:
        """Without the app where that cannot be had and -b says the backend: those in need of help need it then, too."""
        return self._opened(insist=False)

    def manager_with_app(self) -> Manager:
        """The manager, for what needs the app if there is one."""
        return self._opened(insist=True)

    def _opened(self, insist: bool) -> Manager:
        if self._manager is None:
            self._manager = self._open(insist)
            click.get_current_context().find_root().call_on_close(self._manager.close)
        return self._manager

    @property
    def backend(self) -> Backend:
        return self.manager.backend

    def manager_of_app(self) -> Manager:
        """A manager of the app alone, for what needs its code and no backend."""
        from ..manager import Manager

        if self.app is None:
            raise click.UsageError("which workflows? Say -A module:attribute, or set PYWORKFLOW_APP.")
        app = load_app(self.app)
        return app if isinstance(app, Manager) else Manager("memory://", app)

    def check_start(self, workflow: str) -> None:
        """Refuse what cannot become of a start: one of an unknown workflow, or in memory that ends with the command."""
        manager = self.manager_with_app()
        if unknown := unknown_workflow(manager, workflow):
            raise click.BadParameter(f"{self.app} has no workflow {workflow!r}, but {unknown}")
        if self.in_memory():
            raise click.UsageError(f"{IN_MEMORY} it would be gone with this command. {SAY_A_FILE}")

    def in_memory(self) -> bool:
        from ..backend.memory import MemoryBackend

        return isinstance(self.backend, MemoryBackend)

    def _open(self, insist: bool) -> Manager:
        from ..backend import open_backend
        from ..manager import Manager

        app = self._load(insist) if self.app else []
        if isinstance(app, Manager) and not self.url:
            return app
        if self.url:
            backend = open_backend(self.url, create=click.get_current_context().info_name in CREATING)
            return app.copy_with_backend(backend) if isinstance(app, Manager) else Manager(backend, app)
        raise click.UsageError(f"{self.app} is a list of workflows: say the backend with -b." if app else NO_BACKEND)

    def _load(self, insist: bool) -> Any:
        assert self.app is not None
        try:
            return load_app(self.app)
        except click.ClickException as error:
            if insist or not self.url:
                raise
            first, *rest = error.message.splitlines()
            why = f"{first} {rest[-1]}" if rest else first
            click.echo(f"Warning: {inert(why.rstrip('.'))}; going on without it.", err=True)
            return []


def unknown_workflow(manager: Manager, name: str | None) -> str:
    """Where an app is known that has no such workflow: those that it has, and which may have been meant."""
    known = sorted({each.name for each in manager.workflows})
    if name is None or not known or name in known:
        return ""
    return f"{', '.join(known)}.{did_you_mean(name, known)}"


def nothing_matches(manager: Manager, workflow: str | None) -> str:
    """What to say where filters match no process; a workflow of former days may be asked for, a misspelt one too."""
    unknown = unknown_workflow(manager, workflow)
    return "No processes match." + (f" The app has no workflow {workflow!r}, but {unknown}" if unknown else "")


def load_app(name: str) -> Any:
    """The Manager, or the list of Workflow classes, at "module:attribute"; the current directory is searched first."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise click.UsageError(f"-A {name}: write module:attribute, as in shop.workflows:manager.")
    app = _import(module_name)
    for part in attribute.split("."):
        if not hasattr(app, part):
            raise click.UsageError(f"-A {name}: {module_name} has no attribute {attribute!r}.{_meant(app, part)}")
        holder, app = app, getattr(app, part)
    if not _is_app(app):
        raise click.UsageError(f"-A {name} is {_wrong(app)}{_meant(holder, part)}")
    return list(app) if isinstance(app, tuple) else app


def _import(name: str) -> Any:
    from importlib import import_module

    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise click.UsageError(
                f"-A {name}: there is no module {error.name!r} in {os.getcwd()} or where Python looks."
            ) from None
        raise _broken(name, error) from error
    except Exception as error:
        raise _broken(name, error) from error


def _broken(name: str, error: Exception) -> click.ClickException:
    """An app that cannot be imported is the user's code: show where it fails, from its own first line on."""
    import traceback

    from ..frames import authors_part

    shown = "".join(traceback.format_exception(type(error), error, authors_part(error)))
    return click.ClickException(f"-A {name} cannot be imported:\n{shown.rstrip()}")


def _is_app(value: Any) -> bool:
    from ..manager import Manager

    return isinstance(value, Manager) or (isinstance(value, list | tuple) and bool(value) and all(map(_is_type, value)))


def _is_type(value: Any) -> bool:
    from ..workflow import Workflow

    return isinstance(value, type) and issubclass(value, Workflow)


def _meant(holder: Any, name: str) -> str:
    return did_you_mean(name, [each for each, value in getattr(holder, "__dict__", {}).items() if _is_app(value)])


def _wrong(app: Any) -> str:
    if _is_type(app):
        return f"a Workflow class: write a list, `workflows = [{app.__name__}]`, and name that."
    return f"{type(app).__name__}: it must be a Manager or a list of Workflow classes."
