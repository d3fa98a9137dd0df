"""`import psycopg2` answered by kecoa.

The folder of this package goes into PYTHONPATH, so that the `sitecustomize` in it does the same in every
child Python.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_NAMES = {"psycopg2._psycopg": "kecoa._kecoa"}

# psycopg2's modules, and where its C module's functions are said to be from.
_MODULES = ("", "_ipaddress", "_json", "_range", "errors", "extensions", "extras", "pool", "sql", "tz")
_HOMES = {"kecoa._kecoa": "psycopg2._psycopg", "kecoa._driver.password": "psycopg2._psycopg"}

# What stands in modules of these names, and psycopg2 does not have.
_KECOAS_OWN = frozenset(
    {
        "ArrowResult",
        "AsyncLink",
        "AsyncOpening",
        "AsyncRows",
        "Attempts",
        "Checkout",
        "Pipeline",
        "Pool",
        "PoolClosed",
        "PoolFull",
        "PoolTimeout",
        "RetryPolicy",
        "RowStream",
    }
)


class _Psycopg2(ModuleType):
    """kecoa under psycopg2's name: the same attributes, read and written through, but psycopg2's version.

    Programs choose by `psycopg2.__version__` what they may ask for: SQLAlchemy refuses one below 2.7,
    Django one below 2.8.4. kecoa's own number says nothing to them.
    """

    def __getattr__(self, name: str) -> Any:
        if name and name in _MODULES:
            # `from psycopg2 import sql`: as `import psycopg2.sql` finds it.
            return importlib.import_module(f"psycopg2.{name}")
        return getattr(importlib.import_module("kecoa"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        # What the import system notes about a module is this module's own.
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:
            setattr(importlib.import_module("kecoa"), name, value)

    def __delattr__(self, name: str) -> None:
        if name.startswith("__"):
            super().__delattr__(name)
        else:
            delattr(importlib.import_module("kecoa"), name)

    def __dir__(self) -> list[str]:
        return dir(importlib.import_module("kecoa"))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds psycopg2 and its modules before any installed ones, and loads kecoa's in their place."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == "psycopg2" or fullname.startswith("psycopg2."):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname == "psycopg2")
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return _Psycopg2(spec.name) if spec.name == "psycopg2" else None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if isinstance(module, _Psycopg2):
            _pose(module)
            return
        real = _NAMES.get(name, "kecoa" + name[len("psycopg2") :])
        try:
            # The import system goes on with what stands in sys.modules: kecoa's own module object.
            sys.modules[name] = importlib.import_module(real)
            _rename(sys.modules[name])
        except ModuleNotFoundError as error:
            if error.name != real:
                raise
            raise ModuleNotFoundError(f"kecoa has no counterpart of {name} yet", name=name) from None


def _rename(module: ModuleType) -> None:
    """Let the classes that psycopg2 has as well say that they are psycopg2's: in pickles, in tracebacks.

    What is kecoa's own (its asyncio, its retry) keeps its name, and so do functions, by which a program
    sees what it runs on.
    """
    _, _, short = module.__name__.partition(".")
    if short == "_kecoa":
        short = "_psycopg"
    elif short not in _MODULES:
        return
    here = f"psycopg2.{short}".rstrip(".")
    own = module.__name__
    for name, value in list(vars(module).items()):
        if not isinstance(value, type):
            continue
        home = getattr(value, "__module__", None) or ""
        package, _, rest = home.partition(".")
        if package != "kecoa" or name in _KECOAS_OWN or name.startswith("__"):
            continue
        if home in _HOMES:
            new = _HOMES[home]
        elif home == "kecoa.extras" and (file := _file_of(name, value)):
            # psycopg2's are not published: they say which file they are from.
            new = f"psycopg2.{file}"
        elif rest in _MODULES:
            new = f"psycopg2.{rest}".rstrip(".")
        elif rest.startswith("_") and own != "kecoa":
            # From one of the files that psycopg2's module is made of here.
            new = here
        else:
            continue
        value.__module__ = new


def _file_of(name: str, value: type) -> str | None:
    """Return the private file of psycopg2's in which it has a class of its extras."""
    for file in ("_ipaddress", "_json", "_range"):
        module = sys.modules.get(f"kecoa.{file}")
        if module is not None and vars(module).get(name) is value:
            return file
    return None


def _pose(module: _Psycopg2) -> None:
    kecoa = importlib.import_module("kecoa")
    # The C module first: what it has is said to be from there wherever else it stands.
    for name in ("_kecoa", "errors", "extensions", "_range"):
        _rename(importlib.import_module(f"kecoa.{name}"))
    _rename(kecoa)
    module.__doc__ = kecoa.__doc__
    module.__file__ = kecoa.__file__
    module.__version__ = (
        f"{kecoa.extensions.PSYCOPG2_VERSION} (dt dec pq3 ext lo64; kecoa {kecoa.__version__.split()[0]})"
    )


def _is_foreign(name: str) -> bool:
    """Return True if a module is psycopg2 or one below it, and not kecoa's."""
    if name.partition(".")[0] != "psycopg2":
        return False
    module = sys.modules.get(name)
    return not (isinstance(module, _Psycopg2) or getattr(module, "__name__", "").partition(".")[0] == "kecoa")


def install_as_psycopg2() -> None:
    """Answer `import psycopg2` with kecoa in this process, from now on.

    For a program that can't be edited, `kecoa run` does the same there and in the Pythons that it starts.
    May be called again. RuntimeError when the real psycopg2 is imported already: its objects would not mix
    with kecoa's.
    """
    loaded = next((name for name in sorted(sys.modules) if _is_foreign(name)), None)
    if loaded is not None:
        raise RuntimeError(
            f"expected {loaded} not to be imported yet, found it in sys.modules: "
            "call install_as_psycopg2() before anything imports psycopg2"
        )
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    # What the program imported under kecoa's names before.
    for short in _MODULES:
        module = sys.modules.get(f"kecoa.{short}".rstrip("."))
        if module is not None:
            _rename(module)


install_as_psycopg2.__module__ = "kecoa"
