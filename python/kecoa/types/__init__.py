"""Types beyond psycopg2's: your own, and those of extensions.

`TypeInfo.fetch` looks a type up. `register_loader` and `register_dumper` let functions of yours make values
of one; `register_enum`, `register_composite`, `register_range` and `register_multirange` do it for the kinds
of types that a database creates; `register_vector` for pgvector and CockroachDB's `vector`.

What is loaded is registered for a connection, a cursor, a connection of `kecoa.aio`, or with None
everywhere; what is sent is registered by the class of the value, everywhere. All of it works with either
binding. psycopg2's own way (`extensions.new_type`, `register_type`, `register_adapter`) stays, and is what
this stands on.
"""

from __future__ import annotations

from kecoa._names import publish
from kecoa.types._created import register_composite, register_enum, register_range
from kecoa.types._info import TypeInfo
from kecoa.types._multirange import (
    DateMultirange,
    DateTimeMultirange,
    DateTimeTZMultirange,
    Multirange,
    NumericMultirange,
    register_multirange,
    register_multiranges,
)
from kecoa.types._register import register_dumper, register_loader
from kecoa.types._vector import HalfVector, SparseVector, Vector, register_vector, register_vector_types

__all__ = [
    "DateMultirange",
    "DateTimeMultirange",
    "DateTimeTZMultirange",
    "HalfVector",
    "Multirange",
    "NumericMultirange",
    "SparseVector",
    "TypeInfo",
    "Vector",
    "register_composite",
    "register_dumper",
    "register_enum",
    "register_loader",
    "register_multirange",
    "register_multiranges",
    "register_range",
    "register_vector",
    "register_vector_types",
]

publish(globals())
