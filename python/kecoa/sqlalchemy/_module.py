"""The module of PEP 249 that the dialects show to SQLAlchemy."""

from __future__ import annotations

import importlib
from types import ModuleType

import kecoa


def dbapi_module() -> ModuleType:
    """Return kecoa by the name that its exceptions give: psycopg2 after `kecoa.install_as_psycopg2()`."""
    return importlib.import_module(kecoa.Error.__module__)
