"""What a command works with: the manager that -A and -b name, opened when it is first needed."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..backend import Backend
    from ..manager import Manager

CREATING = ("start", "worker", "migrate", "swf-server")
"""The commands that make a file that is not there; others would only leave an empty one behind."""

NO_BACKEND = (
    "which backend? Say -b sqlite:///orders.db or -A module:attribute, or set PYWORKFLOW_BACKEND or PYWORKFLOW_APP."
)


class Session:
    """The choices of -A and -b, and the manager that follows from them."""

    def __init__(self) -> None:
        self.app: str | None = None
        self.url: str | None = None
        self._manager: Manager | None = None

    @property
    def manager(self) -> Manager:
        if self._manager is None:
            self._manager = self._open()
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

    def _open(self) -> Manager:
        from ..backend import open_backend
        from ..manager import Manager

        app = load_app(self.app) if self.app else []
        if isinstance(app, Manager) and not self.url:
            return app
        if self.url:
            backend = open_backend(self.url, create=click.get_current_context().info_name in CREATING)
            return app.copy_with_backend(backend) if isinstance(app, Manager) else Manager(backend, app)
        raise click.UsageError(f"{self.app} is a list of workflows: say the backend with -b." if app else NO_BACKEND)


def load_app(name: str) -> Any:
    """The Manager, or the list of Workflow classes, at "module:attribute"; the current directory is searched first."""
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise click.UsageError(f"-A {name}: write module:attribute, as in shop.workflows:manager.")
    module = _import(module_name)
    try:
        app = module
        for part in attribute.split("."):
            app = getattr(app, part)
    except AttributeError:
        raise click.UsageError(f"-A {name}: module {module_name} has no attribute {attribute!r}.") from None
    return _checked(name, app)


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


def _checked(name: str, app: Any) -> Any:
    from ..manager import Manager
    from ..workflow import Workflow

    if isinstance(app, Manager):
        return app
    if isinstance(app, list | tuple) and app and all(isinstance(w, type) and issubclass(w, Workflow) for w in app):
        return list(app)
    raise click.UsageError(f"-A {name} is {type(app).__name__}: it must be a Manager or a list of Workflow classes.")
