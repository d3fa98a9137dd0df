"""Enumerations, composite types and ranges that a database creates."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

from kecoa._driver.composite import CompositeCaster
from kecoa._kecoa import DataError, ISQLQuote, ProgrammingError, adapt, new_type
from kecoa._range import Range, RangeCaster
from kecoa.extensions import register_adapter
from kecoa.types._info import TypeInfo, info_of
from kecoa.types._register import register_caster, register_casters, register_dumper


def register_enum(
    kind: str | TypeInfo, scope: Any = None, members: type[enum.Enum] | None = None
) -> type[enum.Enum]:
    """Let the values of an enumeration be members of an Enum, both ways; return the class.

    `members` has a member for each label: their values are the labels, or else their names are. Without it a
    class is made, whose values are the labels. `kind` is a name to look up on `scope`, or a TypeInfo; `scope`
    says for whom, None for all. ProgrammingError when a label has no member or the type is no enumeration; a
    label that is added to the type later is a DataError when it comes.
    """
    info = info_of(kind, scope)._expect("enum")
    made: type[enum.Enum] = members or enum.Enum(info.name, {label: label for label in info.labels})  # type: ignore[assignment]
    by_label: dict[Any, enum.Enum] = {member.value: member for member in made}
    if not all(label in by_label for label in info.labels):
        by_label = dict(made.__members__)
    missing = [label for label in info.labels if label not in by_label]
    if missing:
        raise ProgrammingError(
            f"expected members of {made.__name__} for all labels of '{info.name}', found none for {missing}"
        )
    labels = {by_label[label]: label for label in info.labels}

    def load(value: Any, _cursor: Any) -> enum.Enum | None:
        if value is None:
            return None
        member = by_label.get(value)
        if member is None:
            raise DataError(
                f"expected a label of '{info.name}' that {made.__name__} has, found {value!r}: the type has"
                " changed since it was registered"
            )
        return member

    def dump(member: Any) -> str:
        label = labels.get(member)
        if label is None:
            raise ProgrammingError(f"expected a member with a label of '{info.name}', found {member!r}")
        return label

    register_casters(info, new_type((info.oid,), info.name, load), scope)
    register_dumper(made, dump, info)
    return made


class _RowAdapter:
    """Sends a sequence of values as a composite value."""

    def __init__(self, values: Iterable[Any], kind: str) -> None:
        self._values = list(values)
        self._kind = kind
        self._conn: Any = None

    def __conform__(self, proto: Any) -> _RowAdapter | None:
        return self if proto is ISQLQuote else None

    def prepare(self, conn: Any) -> None:
        """Take the connection whose encoding and quoting apply."""
        self._conn = conn

    def getquoted(self) -> bytes:
        """Return the SQL."""
        fields = []
        for value in self._values:
            adapter = adapt(value)
            if self._conn is not None and hasattr(adapter, "prepare"):
                adapter.prepare(self._conn)
            fields.append(adapter.getquoted())
        return b"ROW(" + b", ".join(fields) + b")::" + self._kind.encode()


def register_composite(
    kind: str | TypeInfo, scope: Any = None, factory: type[CompositeCaster] | None = None
) -> Any:
    """Let the values of a composite type, or rows of a table, be named tuples, both ways; return their class.

    As `extras.register_composite`, which does it one way, with `factory` as there. `kind` is a name to look
    up on `scope`, or a TypeInfo; `scope` says for whom, None for all. ProgrammingError when the type is no
    composite one.
    """
    info = info_of(kind, scope)._expect("composite")
    caster = (factory or CompositeCaster)(
        info.name, info.oid, list(info.attributes), array_oid=info.array_oid, schema=info.schema
    )
    register_caster(caster.typecaster, scope)
    if caster.array_typecaster is not None:
        register_caster(caster.array_typecaster, scope)
    register_adapter(caster.type, lambda values: _RowAdapter(values, info.sql))
    return caster.type


def register_range(
    kind: str | TypeInfo, scope: Any = None, members: str | type[Range] | None = None
) -> type[Range]:
    """Let the values of a range type be Range objects, both ways; return their class.

    As `extras.register_range`: `members` is a subclass of Range, or the name of one that is to be made, by
    default the type's. `kind` is a name to look up on `scope`, or a TypeInfo; `scope` says for whom, None for
    all. ProgrammingError when the type is no range.
    """
    info = info_of(kind, scope)._expect("range")
    caster = RangeCaster(
        info.sql, members or info.name, oid=info.oid, subtype_oid=info.of, array_oid=info.array_oid or None
    )
    register_caster(caster.typecaster, scope)
    if caster.array_typecaster is not None:
        register_caster(caster.array_typecaster, scope)
    register_adapter(caster.range, caster.adapter)
    return caster.range
