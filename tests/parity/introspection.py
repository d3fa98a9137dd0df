"""Describes the surface of psycopg2, or of what replaces it: the shape of `surface.json` beside this file.

`surface.json` was made once from psycopg2 2.9.13 in this way; `describe` makes the same of any package that
has psycopg2's modules. Names of kecoa's modules are written as psycopg2's, so that both descriptions compare.
"""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

MODULES = (
    "",
    "._ipaddress",
    "._json",
    "._psycopg",
    "._range",
    ".errorcodes",
    ".errors",
    ".extensions",
    ".extras",
    ".pool",
    ".sql",
    ".tz",
)

# What a class shows to programs besides its public names.
SPECIAL = (
    "__conform__",
    "__enter__",
    "__eq__",
    "__exit__",
    "__getitem__",
    "__getstate__",
    "__hash__",
    "__iter__",
    "__len__",
    "__lt__",
    "__next__",
    "__reduce__",
    "__repr__",
    "__setstate__",
    "__str__",
)

CONSTANTS = (str, int, float, bytes, bool)


def modules(package: str) -> dict[str, types.ModuleType]:
    """The modules of `package`, by their names in psycopg2."""
    return {f"psycopg2{name}": importlib.import_module(package + name) for name in MODULES}


def kind(value: Any) -> str:
    """What sort of thing a module's attribute is."""
    if isinstance(value, type):
        return "exception" if issubclass(value, BaseException) else "class"
    if isinstance(value, types.ModuleType):
        return "module"
    if callable(value) and type(value).__module__ == "builtins":
        return "function"
    if isinstance(value, CONSTANTS):
        return "constant"
    # A typecaster: its class is not among the names of the module.
    return "typecaster" if type(value).__name__ in ("type", "Type", "TypeCaster") else type(value).__name__


def member_kind(owner: type, name: str) -> str:
    """What sort of thing a class's attribute is, to who uses it: what is called, read, or a value."""
    value = inspect.getattr_static(owner, name)
    if isinstance(value, types.ClassMethodDescriptorType):
        return "classmethod"
    if isinstance(value, (staticmethod, classmethod)):
        return type(value).__name__
    if isinstance(value, (types.MemberDescriptorType, types.GetSetDescriptorType, property)):
        return "attribute"
    # A slot that a class does not offer is object's, or None.
    if callable(value) or inspect.isroutine(value):
        return "method"
    return type(value).__name__


def members(owner: type) -> dict[str, str]:
    """The attributes of a class, its bases' included, without what every object has."""
    found = {}
    for name in dir(owner):
        if name.startswith("__") and name not in SPECIAL:
            continue
        if name in vars(object) and inspect.getattr_static(owner, name) is vars(object)[name]:
            continue
        found[name] = member_kind(owner, name)
    return found


def signature(value: Callable[..., Any]) -> str | None:
    """The signature as it is shown, without annotations; None where there is none to be had."""
    try:
        shown = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    empty = inspect.Signature.empty
    parameters = [parameter.replace(annotation=empty) for parameter in shown.parameters.values()]
    return str(shown.replace(parameters=parameters, return_annotation=empty))


def classes(package: str) -> Iterator[tuple[str, type]]:
    """Every class that a module of psycopg2 offers, by the first place where it is found."""
    for name, module in modules(package).items():
        for attribute, value in sorted(vars(module).items()):
            if isinstance(value, type):
                yield f"{name}.{attribute}", value


def qualified(owner: type) -> str:
    """The name of a class with its module's; kecoa's modules as psycopg2 names them."""
    for file in ("_ipaddress", "_json", "_range"):
        # kecoa's say that they are from `extras`, psycopg2's name the private file.
        own = vars(importlib.import_module(f"kecoa.{file}")).get(owner.__name__) is owner
        if own and owner.__module__ == "kecoa.extras":
            return f"psycopg2.{file}.{owner.__name__}"
    module = owner.__module__.replace("kecoa._kecoa", "psycopg2._psycopg").replace("kecoa", "psycopg2", 1)
    return f"{module}.{owner.__name__}"
