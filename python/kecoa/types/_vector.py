"""Vectors: pgvector's `vector`, `halfvec` and `sparsevec`, and CockroachDB's `vector`."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kecoa._kecoa import DataError, ProgrammingError
from kecoa.extensions import register_adapter
from kecoa.types._info import TypeInfo
from kecoa.types._register import Quoted, register_loader


class Vector(list[float]):
    """A list of numbers that is sent as a vector; an ordinary list is sent as an array."""

    __slots__ = ()


class HalfVector(list[float]):
    """A list of numbers that is sent as a halfvec, which keeps about three digits of each."""

    __slots__ = ()


class SparseVector:
    """A vector of which only the numbers that are not zero are kept, by their places from 0 on; immutable.

    ValueError for places outside of it.
    """

    __slots__ = ("_dimensions", "_entries")

    def __init__(self, dimensions: int, entries: Mapping[int, float]) -> None:
        self._dimensions = dimensions
        self._entries = {place: entries[place] for place in sorted(entries)}
        for place in self._entries:
            if not 0 <= place < dimensions:
                raise ValueError(f"expected places from 0 to {dimensions - 1}, found {place}")

    @property
    def dimensions(self) -> int:
        """The number of elements, zeros included."""
        return self._dimensions

    @property
    def entries(self) -> dict[int, float]:
        """A copy of the numbers by their places, in order."""
        return dict(self._entries)

    def to_list(self) -> list[float]:
        """Return all numbers, zeros included."""
        return [self._entries.get(place, 0.0) for place in range(self._dimensions)]

    def __repr__(self) -> str:
        return f"SparseVector({self._dimensions}, {self._entries!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseVector):
            return NotImplemented
        return self._dimensions == other._dimensions and self._entries == other._entries

    def __hash__(self) -> int:
        return hash((self._dimensions, tuple(self._entries.items())))


def _numbers(text: str) -> list[float]:
    if not (text.startswith("[") and text.endswith("]")):
        raise DataError(f"expected a vector as [1,2.5,3], found {text[:64]!r}")
    try:
        return [float(number) for number in text[1:-1].split(",")] if text != "[]" else []
    except ValueError:
        raise DataError(f"expected a vector as [1,2.5,3], found {text[:64]!r}") from None


def _count(data: bytes, size: int) -> int:
    count = int.from_bytes(data[:2], "big")
    if len(data) != 4 + count * size:
        raise DataError(f"expected a vector of {count} numbers of {size} bytes, found {len(data)} bytes")
    return count


def _unpack(data: bytes, code: str, size: int) -> list[float]:
    """Return the numbers behind a count of two bytes and two spare ones."""
    count = _count(data, size)
    return list(struct.unpack_from(f">{count}{code}", data, 4))


def _sparse(text: str) -> SparseVector:
    inside, slash, dimensions = text.rpartition("/")
    try:
        if not (slash and inside.startswith("{") and inside.endswith("}")):
            raise ValueError
        pairs = [pair.split(":") for pair in inside[1:-1].split(",") if pair]
        return SparseVector(int(dimensions), {int(place) - 1: float(number) for place, number in pairs})
    except ValueError:
        raise DataError(f"expected a sparsevec as {{1:2.5,3:4}}/5, found {text[:64]!r}") from None


def _unpack_sparse(data: bytes) -> SparseVector:
    dimensions, count = struct.unpack_from(">ii", data) if len(data) >= 12 else (-1, -1)
    if count < 0 or dimensions < 0 or len(data) != 12 + count * 8:
        raise DataError(f"expected a sparsevec with as many places as it says, found {len(data)} bytes")
    places = struct.unpack_from(f">{count}i", data, 12)
    numbers = struct.unpack_from(f">{count}f", data, 12 + 4 * count)
    try:
        return SparseVector(dimensions, dict(zip(places, numbers, strict=True)))
    except ValueError as error:
        raise DataError(str(error)) from None


def _dump(values: Iterable[Any]) -> str:
    return "[" + ",".join(repr(float(value)) for value in values) + "]"


def _dump_sparse(vector: SparseVector) -> str:
    entries = ",".join(f"{place + 1}:{float(number)!r}" for place, number in vector.entries.items())
    return f"{{{entries}}}/{vector.dimensions}"


def register_vector(conn_or_curs: Any, globally: bool = False, numpy: bool = False) -> None:
    """Load vectors as lists of float, sparse ones as SparseVector; send Vector, HalfVector and SparseVector.

    With `numpy`, vectors are loaded as arrays of float32 (`halfvec`: float16), and arrays of one dimension
    are sent as vectors: for all connections, as all that is sent. Those of the types that the database has
    are registered for `conn_or_curs`, with `globally` for all. ProgrammingError when it has none of them:
    create the extension first (`CREATE EXTENSION vector`), or use CockroachDB 24.2 or newer.
    """
    register_vector_types(
        [info for name in ("vector", "halfvec", "sparsevec") if (info := _find(conn_or_curs, name))],
        None if globally else conn_or_curs,
        numpy=numpy,
    )


def _find(conn_or_curs: Any, name: str) -> TypeInfo | None:
    try:
        return TypeInfo.fetch(conn_or_curs, name)
    except ProgrammingError as error:
        if error.pgcode is not None:
            raise
        return None


def register_vector_types(infos: Iterable[TypeInfo], scope: Any = None, *, numpy: bool = False) -> None:
    """Do as `register_vector` for types that were looked up: on a connection of `kecoa.aio`, or several."""
    found = list(infos)
    if not found:
        raise ProgrammingError(
            "the database has no type vector, halfvec or sparsevec: CREATE EXTENSION vector makes them in"
            " PostgreSQL where pgvector is installed"
        )
    loaders: dict[str, tuple[Callable[[str], Any], Callable[[bytes], Any]]] = {
        "vector": (_numbers, lambda data: _unpack(data, "f", 4)),
        "halfvec": (_numbers, lambda data: _unpack(data, "e", 2)),
        "sparsevec": (_sparse, _unpack_sparse),
    }
    if numpy:
        loaders.update(_numpy_loaders())
    for info in found:
        text, binary = loaders[info.name]
        register_loader(info, text, binary, scope)


def _numpy_loaders() -> dict[str, tuple[Callable[[str], Any], Callable[[bytes], Any]]]:
    import importlib

    np: Any = importlib.import_module("numpy")

    def loaders(single: Any, wire: str, size: int) -> Any:
        def binary(data: bytes) -> Any:
            _count(data, size)
            return np.frombuffer(data, dtype=wire, offset=4).astype(single)

        return (lambda text: np.array(_numbers(text), dtype=single)), binary

    def dump(array: Any) -> str:
        if array.ndim != 1:
            raise ProgrammingError(
                f"expected an array of one dimension to send as a vector, found {array.ndim}"
            )
        return _dump(array)

    register_adapter(np.ndarray, lambda array: Quoted(array, dump, None))
    return {
        "vector": loaders(np.float32, ">f4", 4),
        "halfvec": loaders(np.float16, ">f2", 2),
    }


register_adapter(Vector, lambda vector: Quoted(vector, _dump, None))
register_adapter(HalfVector, lambda vector: Quoted(vector, _dump, None))
register_adapter(SparseVector, lambda vector: Quoted(vector, _dump_sparse, None))
