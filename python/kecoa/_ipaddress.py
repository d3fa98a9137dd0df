"""PostgreSQL's inet and cidr as the standard library's ipaddress objects, as in psycopg2._ipaddress."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from kecoa._kecoa import (
    QuotedString,
    new_array_type,
    new_type,
    register_type,
    typecaster,
)
from kecoa.extensions import register_adapter

__all__ = ["adapt_ipaddress", "cast_interface", "cast_network", "register_ipaddress"]

ipaddress: ModuleType | None = None
"""The standard library's module, once it is needed."""

_casters: list[typecaster] | None = None


def _library() -> Any:
    global ipaddress
    if ipaddress is None:
        import ipaddress as library

        ipaddress = library
    return ipaddress


def register_ipaddress(conn_or_curs: Any = None) -> None:
    """Let PostgreSQL's inet be ip_interface and cidr ip_network objects, and the other way round.

    Values from the server are converted within `conn_or_curs`, or everywhere when it is None.
    """
    global _casters
    if _casters is None:
        _casters = _make_casters()
    for caster in _casters:
        register_type(caster, conn_or_curs)
    library = _library()
    for kind in (
        library.IPv4Interface,
        library.IPv6Interface,
        library.IPv4Network,
        library.IPv6Network,
    ):
        register_adapter(kind, adapt_ipaddress)


def _make_casters() -> list[typecaster]:
    inet = new_type((869,), "INET", cast_interface)
    cidr = new_type((650,), "CIDR", cast_network)
    return [
        inet,
        new_array_type((1041,), "INET[]", inet),
        cidr,
        new_array_type((651,), "CIDR[]", cidr),
    ]


def cast_interface(s: Any, cur: Any = None) -> Any:
    """Return the ip_interface of the server's text `s`, None for NULL."""
    return None if s is None else _library().ip_interface(s)


def cast_network(s: Any, cur: Any = None) -> Any:
    """Return the ip_network of the server's text `s`, None for NULL."""
    return None if s is None else _library().ip_network(s)


def adapt_ipaddress(obj: Any) -> QuotedString:
    """Return the adapter of an ipaddress object."""
    return QuotedString(str(obj))
