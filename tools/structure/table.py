"""Reads tools/dependencies.toml: crates and packages, their layers, and the circles that may stay."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it


@dataclass
class Natural:
    """A circle that may stay, and why."""

    files: list[str]
    reason: str


@dataclass
class Part:
    """A crate, or the Python package."""

    name: str
    folder: Path
    about: str
    uses: list[str] = field(default_factory=list)
    # Of a crate: whether it may have a socket, a clock or a thread.
    io: bool = True
    # Modules that must not name a crate of I/O, where the crate itself may.
    pure: list[str] = field(default_factory=list)
    # Lowest first; a module may use those of the layers below its own.
    layers: list[dict[str, str]] = field(default_factory=list)
    natural: list[Natural] = field(default_factory=list)
    # Whether ARCHITECTURE.md shows the layers.
    drawn: bool = False


@dataclass
class Library:
    """A library of others, or several that are chosen together."""

    names: list[str]
    purpose: str
    reason: str
    # Which of our crates alone may use it.
    only: list[str]
    # Not a crate: a package of the tests in Python.
    pypi: bool


@dataclass
class Table:
    """What tools/dependencies.toml says."""

    crates: list[Part]
    packages: list[Part]
    libraries: list[Library]
    # Crates that must not be in the tree at all, and why.
    banned: dict[str, str]


def read_toml(file: Path) -> dict[str, Any]:
    values: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    return values


def load(file: Path) -> Table:
    known = read_toml(file)
    base = file.parent.parent
    return Table(
        [part(name, values, base) for name, values in known.get("crates", {}).items()],
        [part(name, values, base) for name, values in known.get("packages", {}).items()],
        [
            Library(
                name.split(", "),
                values["for"],
                values["why"],
                values.get("only", []),
                values.get("pypi", False),
            )
            for name, values in known.get("libraries", {}).items()
        ],
        known.get("banned", {}),
    )


def part(name: str, values: dict[str, Any], base: Path) -> Part:
    return Part(
        name,
        base / values["folder"],
        values["about"],
        values.get("uses", []),
        values.get("io", True),
        values.get("pure", "").split(", ") if values.get("pure") else [],
        values.get("layers", []),
        [Natural(circle["files"], circle["reason"]) for circle in values.get("circles", [])],
        values.get("drawn", False),
    )
