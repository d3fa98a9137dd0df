"""Identifiers of two-phase transactions."""

from __future__ import annotations

from operator import index

# Known to type checkers as true. `typing` itself is left to those programs that need it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_FORMAT_ID = 0x7FFF_FFFF
_MAX_LENGTH = 64


class Xid:
    """A transaction identifier by the X/Open XA standard: a format, a global and a branch identifier.

    It is a sequence of the three, and str() of it is the identifier that PREPARE TRANSACTION takes:
    `format_id`, `gtrid` and `bqual` joined by underscores, the latter two in base64. An identifier that was
    made otherwise is kept as `gtrid`, and the other two are None.

    ValueError when `format_id` is negative, or `gtrid` or `bqual` is longer than 64 characters or not
    printable ASCII; OverflowError when `format_id` is 2**31 or more.
    """

    __module__ = "kecoa.extensions"
    __slots__ = ("_bqual", "_database", "_format_id", "_gtrid", "_owner", "_prepared")
    _format_id: int | None
    _gtrid: str
    _bqual: str | None
    _prepared: Any
    _owner: str | None
    _database: str | None

    def __init__(self, format_id: int, gtrid: str, bqual: str) -> None:
        number = index(format_id)
        if number > _MAX_FORMAT_ID:
            raise OverflowError(f"expected a format_id below 2**31, found {number}")
        if number < 0:
            raise ValueError("format_id must be a non-negative 32-bit integer")
        _check("gtrid", gtrid)
        _check("bqual", bqual)
        self._format_id = number
        self._gtrid = gtrid
        self._bqual = bqual
        self._prepared = self._owner = self._database = None

    @staticmethod
    def from_string(s: str) -> Xid:
        """Return the Xid that str() of it is `s`; one without format_id and bqual when there is none."""
        if not isinstance(s, str):
            raise TypeError("not a valid transaction id")
        parts = s.split("_")
        if len(parts) == 3 and parts[0].isdecimal():
            try:
                return Xid(int(parts[0]), _decode(parts[1]), _decode(parts[2]))
            except (ValueError, OverflowError):
                pass  # an identifier of another program, that merely looks like one
        xid = Xid(0, "", "")
        xid._format_id = xid._bqual = None
        xid._gtrid = s
        return xid

    @classmethod
    def recovered(cls, s: str, prepared: Any, owner: str | None, database: str | None) -> Xid:
        """Return the Xid of a row of pg_prepared_xacts, as `connection.tpc_recover` does."""
        xid = cls.from_string(s)
        xid._prepared = prepared
        xid._owner = owner
        xid._database = database
        return xid

    @property
    def format_id(self) -> int | None:
        """The format's number; None when the identifier was made by other rules."""
        return self._format_id

    @property
    def gtrid(self) -> str:
        """The global transaction's identifier, or the whole one that was made by other rules."""
        return self._gtrid

    @property
    def bqual(self) -> str | None:
        """The branch's identifier; None when the whole was made by other rules."""
        return self._bqual

    @property
    def prepared(self) -> Any:
        """When a recovered transaction was prepared: a datetime."""
        return self._prepared

    @property
    def owner(self) -> str | None:
        """Who prepared a recovered transaction."""
        return self._owner

    @property
    def database(self) -> str | None:
        """The database of a recovered transaction."""
        return self._database

    def __len__(self) -> int:
        return 3

    def __getitem__(self, at: int) -> Any:
        if isinstance(at, slice):
            raise TypeError("sequence index must be integer, not 'slice'")
        if not -3 <= index(at) < 3:
            raise IndexError("index out of range")
        return (self._format_id, self._gtrid, self._bqual)[at]

    def __str__(self) -> str:
        if self._format_id is None or self._bqual is None:
            return self._gtrid
        return f"{self._format_id}_{_encode(self._gtrid)}_{_encode(self._bqual)}"

    def __repr__(self) -> str:
        if self._format_id is None:
            return f"<Xid: {self._gtrid!r} (unparsed)>"
        return f"<Xid: ({self._format_id}, {self._gtrid!r}, {self._bqual!r})>"

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle 'kecoa.extensions.Xid' object")


def _check(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"expected {name} as str, found {type(value).__name__}")
    if len(value) > _MAX_LENGTH:
        raise ValueError(f"{name} must be a string no longer than {_MAX_LENGTH} characters")
    if not all(" " <= character <= "~" for character in value):
        raise ValueError(f"{name} must contain only printable characters.")


def _encode(text: str) -> str:
    import binascii

    return binascii.b2a_base64(text.encode("ascii"), newline=False).decode("ascii")


def _decode(text: str) -> str:
    import binascii

    # binascii.Error and UnicodeDecodeError are ValueError.
    return binascii.a2b_base64(text).decode("utf-8")
