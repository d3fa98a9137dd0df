"""Arrow's C structures, filled in by hand with ctypes, so that any field of them can be wrong.

Run as a program with a DSN: tries every wrong structure on `copy_arrow`, and prints the name of each before it
and what came of it behind. A process that ends before the last one was killed by the one named last.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any

import kecoa
from tests.dbapi.arrow.c_structures import (
    Array,
    GetLastError,
    GetNext,
    GetSchema,
    ReleaseArray,
    ReleaseSchema,
    ReleaseStream,
    Schema,
    Stream,
)

#: Everything that a structure points to, for as long as the process lives.
_alive: list[Any] = []
#: How often the outermost structures were released.
released = {"schema": 0, "array": 0, "stream": 0}


@ReleaseSchema
def _release_schema(schema: Any) -> None:
    released["schema"] += 1
    schema.contents.release = None


@ReleaseArray
def _release_array(array: Any) -> None:
    released["array"] += 1
    array.contents.release = None


@ReleaseStream
def _release_stream(stream: Any) -> None:
    released["stream"] += 1
    stream.contents.release = None


def _address(function: Any) -> Any:
    return ctypes.cast(function, ctypes.c_void_p).value


def schema(
    form: bytes,
    name: bytes | None = b"x",
    children: tuple[Schema, ...] = (),
    dictionary: Schema | None = None,
) -> Schema:
    """Return a schema."""
    made = Schema(
        format=form, name=name, flags=2, n_children=len(children), release=_address(_release_schema)
    )
    if children:
        made.children = (ctypes.POINTER(Schema) * len(children))(
            *[ctypes.pointer(child) for child in children]
        )
    if dictionary is not None:
        made.dictionary = ctypes.pointer(dictionary)
    _alive.append((made, children, dictionary))
    return made


def array(
    length: int,
    buffers: list[bytes | None],
    children: tuple[Array, ...] = (),
    dictionary: Array | None = None,
    nulls: int = 0,
    offset: int = 0,
) -> Array:
    """Return an array."""
    made = Array(
        length=length,
        null_count=nulls,
        offset=offset,
        n_buffers=len(buffers),
        n_children=len(children),
        release=_address(_release_array),
    )
    memory = [
        None if data is None else ctypes.create_string_buffer(data, max(1, len(data))) for data in buffers
    ]
    made.buffers = (ctypes.c_void_p * max(1, len(memory)))(
        *[None if data is None else ctypes.cast(data, ctypes.c_void_p).value for data in memory]
    )
    if children:
        made.children = (ctypes.POINTER(Array) * len(children))(
            *[ctypes.pointer(child) for child in children]
        )
    if dictionary is not None:
        made.dictionary = ctypes.pointer(dictionary)
    _alive.append((made, memory, children, dictionary))
    return made


def _capsule(content: Any, name: bytes) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(ctypes.addressof(content), name, None)


class Batch:
    """A producer of one record batch."""

    def __init__(self, schema: Schema, array: Array) -> None:
        self.schema, self.array = schema, array

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        return _capsule(self.schema, b"arrow_schema"), _capsule(self.array, b"arrow_array")


class Source:
    """A producer of a stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return _capsule(self.stream, b"arrow_array_stream")


def stream(
    columns: Callable[[], tuple[Schema, Array]],
    *,
    schema_code: int = 0,
    next_code: int = 0,
    message: bytes | None = None,
    empty: bool = False,
) -> Source:
    """Return a stream of one batch, whose calls answer with the codes."""
    kinds, values = columns()
    left = [values]

    @GetSchema
    def get_schema(_: Any, out: Any) -> int:
        if schema_code == 0 and not empty:
            ctypes.memmove(out, ctypes.addressof(kinds), ctypes.sizeof(Schema))
        return schema_code

    @GetNext
    def get_next(_: Any, out: Any) -> int:
        if next_code:
            return next_code
        if left:
            ctypes.memmove(out, ctypes.addressof(left.pop()), ctypes.sizeof(Array))
        else:
            ctypes.memset(out, 0, ctypes.sizeof(Array))
        return 0

    @GetLastError
    def get_last_error(_: Any) -> Any:
        return None if message is None else ctypes.cast(ctypes.c_char_p(message), ctypes.c_void_p).value

    made = Stream(
        _address(get_schema), _address(get_next), _address(get_last_error), _address(_release_stream)
    )
    _alive.append((made, get_schema, get_next, get_last_error, message))
    return Source(made)


def ints(*values: int) -> bytes:
    """Return values of 32 bits."""
    return struct.pack(f"={len(values)}i", *values)


def longs(*values: int) -> bytes:
    """Return values of 64 bits."""
    return struct.pack(f"={len(values)}q", *values)


def one_column(column: Callable[[], tuple[Schema, Array]]) -> tuple[Schema, Array]:
    """Return a table of one column."""
    kind, values = column()
    return schema(b"+s", b"", (kind,)), array(values.length, [None], (values,))


#: A column of two rows of each layout, and the type of a table's column that takes it.
COLUMNS: dict[str, tuple[str, Callable[[], tuple[Schema, Array]]]] = {
    "int32": ("int", lambda: (schema(b"i"), array(2, [None, ints(1, 2)]))),
    "int32 with NULL": ("int", lambda: (schema(b"i"), array(2, [b"\x01", ints(1, 2)], nulls=1))),
    "bool": ("bool", lambda: (schema(b"b"), array(2, [None, b"\x01"]))),
    "text": ("text", lambda: (schema(b"u"), array(2, [None, ints(0, 1, 3), b"abc"]))),
    "large bytes": ("bytea", lambda: (schema(b"Z"), array(2, [None, longs(0, 1, 3), b"abc"]))),
    "views": (
        "text",
        lambda: (
            schema(b"vu"),
            array(
                2,
                [
                    None,
                    ints(1) + b"a" + bytes(11) + ints(14) + b"long" + ints(0, 0),
                    b"long text here",
                    longs(14),
                ],
            ),
        ),
    ),
    "fixed": ("uuid", lambda: (schema(b"w:16"), array(2, [None, bytes(32)]))),
    "decimal": ("numeric", lambda: (schema(b"d:10,2"), array(2, [None, bytes(32)]))),
    "null": ("int", lambda: (schema(b"n"), array(2, [], nulls=2))),
    "list": (
        "int[]",
        lambda: (
            schema(b"+l", b"x", (schema(b"i"),)),
            array(2, [None, ints(0, 1, 2)], (array(2, [None, ints(1, 2)]),)),
        ),
    ),
    "large list": (
        "text[]",
        lambda: (
            schema(b"+L", b"x", (schema(b"u"),)),
            array(2, [None, longs(0, 1, 2)], (array(2, [None, ints(0, 1, 2), b"ab"]),)),
        ),
    ),
    "fixed list": (
        "int[]",
        lambda: (
            schema(b"+w:2", b"x", (schema(b"i"),)),
            array(2, [None], (array(4, [None, ints(1, 2, 3, 4)]),)),
        ),
    ),
    "dictionary": (
        "text",
        lambda: (
            schema(b"i", b"x", (), schema(b"u")),
            array(2, [None, ints(1, 0)], (), array(2, [None, ints(0, 1, 2), b"ab"])),
        ),
    ),
}


def deep(depth: int) -> tuple[Schema, Array]:
    """Return lists in lists."""
    kind, values = schema(b"i"), array(1, [None, ints(1)])
    for _ in range(depth):
        kind, values = schema(b"+l", b"x", (kind,)), array(1, [None, ints(0, 1)], (values,))
    return kind, values


def wrong() -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Yield a name, the type of the table's column, and what makes the producer."""

    def table(
        make: Callable[[], tuple[Schema, Array]], change: Callable[[Schema, Array, Schema, Array], None]
    ) -> Any:
        def made() -> Batch:
            kinds, values = one_column(make)
            change(kinds, values, kinds.children[0].contents, values.children[0].contents)
            return Batch(kinds, values)

        return made

    null_schema = ctypes.POINTER(Schema)()
    null_array = ctypes.POINTER(Array)()
    great = (-1, -(2**63), 2**31, 2**62, 2**63 - 1)
    for name, (kind, make) in COLUMNS.items():

        def case(what: str, change: Any, name: str = name, kind: str = kind, make: Any = make) -> Any:
            return f"{name}: {what}", kind, table(make, change)

        for outer in (True, False):
            where = "table" if outer else "column"

            def pick(kinds: Any, values: Any, kind: Any, column: Any, outer: bool = outer) -> Any:
                return (kinds, values) if outer else (kind, column)

            def put(field: str, value: Any, of_schema: bool, pick: Any = pick) -> Any:
                return lambda *given: setattr(pick(*given)[0 if of_schema else 1], field, value)

            for field in ("format", "name", "children", "dictionary", "release"):
                empty = {"children": ctypes.POINTER(ctypes.POINTER(Schema))(), "dictionary": null_schema}.get(
                    field
                )
                yield case(f"{where}'s schema, {field} null", put(field, empty, True))
            yield case(f"{where}'s format is none", put("format", b"\xff\xfe", True))
            yield case(f"{where}'s format is another", put("format", b"g", True))
            yield case(f"{where}'s format is a list", put("format", b"+l", True))
            yield case(f"{where}'s name is no UTF-8", put("name", b"\xff", True))
            yield case(f"{where}'s metadata is none", put("metadata", ints(2**31 - 1) + ints(2**30), True))
            yield case(f"{where}'s metadata is below zero", put("metadata", ints(-1), True))
            for number in (*great, 0, 100_000):
                yield case(f"{where}'s schema, n_children {number}", put("n_children", number, True))
            for number in (0, 1):
                yield case(f"{where}'s array, n_buffers {number}", put("n_buffers", number, False))
            for field in ("buffers", "children", "dictionary", "release"):
                empty = {
                    "buffers": ctypes.POINTER(ctypes.c_void_p)(),
                    "children": ctypes.POINTER(ctypes.POINTER(Array))(),
                    "dictionary": null_array,
                }.get(field)
                yield case(f"{where}'s array, {field} null", put(field, empty, False))
                if field == "buffers":
                    for nulls in (-1, 1, 2):

                        def no_buffers(
                            *given: Any, nulls: int = nulls, empty: Any = empty, pick: Any = pick
                        ) -> None:
                            values = pick(*given)[1]
                            values.buffers, values.null_count = empty, nulls

                        yield case(f"{where}'s array, buffers null and {nulls} NULLs", no_buffers)
            for field in ("length", "null_count", "offset", "n_buffers", "n_children"):
                for number in great:
                    if field in ("length", "offset") and 0 < number < 2**62 and not outer:
                        continue  # whoever says that its buffers are that long is believed
                    if field in ("length", "offset") and number == 2**62 and not outer:
                        continue
                    yield case(f"{where}'s array, {field} {number}", put(field, number, False))
            for nulls in (1, 3):
                yield case(f"{where}'s array, {nulls} NULLs without bits", put("null_count", nulls, False))
            for index in range(4):

                def no_buffer(*given: Any, index: int = index, pick: Any = pick) -> None:
                    values = pick(*given)[1]
                    if index < values.n_buffers:
                        values.buffers[index] = None

                yield case(f"{where}'s buffer {index} null", no_buffer)
            yield case(
                f"{where}'s first child null",
                lambda *given, pick=pick: (
                    pick(*given)[1].n_children and pick(*given)[1].children.__setitem__(0, null_array)
                ),
            )
            yield case(
                f"{where}'s first field null",
                lambda *given, pick=pick: (
                    pick(*given)[0].n_children and pick(*given)[0].children.__setitem__(0, null_schema)
                ),
            )
        yield case("a column that was released", lambda a, b, c, column: setattr(column, "release", None))
        yield case("a field that was released", lambda a, b, field, d: setattr(field, "release", None))
        yield case("a column shorter than the table", lambda a, values, c, d: setattr(values, "length", 3))

    for name, values in {
        "offsets descend": array(2, [None, ints(0, 2, 1), b"abc"]),
        "offsets below zero": array(2, [None, ints(-1, 1, 3), b"abc"]),
        "offset past the data": array(2, [None, ints(0, 9, 3), b"abc"]),
        "no UTF-8": array(2, [None, ints(0, 1, 3), b"a\xff\xfe"]),
        "no data": array(2, [None, ints(0, 1, 3), None]),
    }.items():
        yield (
            f"text: {name}",
            "text",
            lambda values=values: Batch(*one_column(lambda: (schema(b"u"), values))),
        )
    for name, offsets in {"descend": (0, 2, 1), "below zero": (-2, 1, 2), "past the end": (0, 1, 9)}.items():
        yield (
            f"list: offsets {name}",
            "int[]",
            lambda offsets=offsets: Batch(
                *one_column(
                    lambda: (
                        schema(b"+l", b"x", (schema(b"i"),)),
                        array(2, [None, ints(*offsets)], (array(2, [None, ints(1, 2)]),)),
                    )
                )
            ),
        )
    for name, view in {
        "length below zero": ints(-1, 0, 0, 0),
        "buffer that is not there": ints(20) + b"long" + ints(7, 0),
        "buffer below zero": ints(20) + b"long" + ints(-1, 0),
        "offset past the end": ints(20) + b"long" + ints(0, 1000),
        "length past the end": ints(2**31 - 1) + b"long" + ints(0, 0),
    }.items():
        for lengths in (longs(14), longs(-1), None):
            yield (
                f"view: {name}, lengths {lengths!r}",
                "text",
                lambda view=view, lengths=lengths: Batch(
                    *one_column(lambda: (schema(b"vu"), array(1, [None, view, b"long text here", lengths])))
                ),
            )
    for index in (-1, 2, 2**31 - 1):
        yield (
            f"dictionary: index {index}",
            "text",
            lambda index=index: Batch(
                *one_column(
                    lambda: (
                        schema(b"i", b"x", (), schema(b"u")),
                        array(1, [None, ints(index)], (), array(2, [None, ints(0, 1, 2), b"ab"])),
                    )
                )
            ),
        )
    for depth in (7, 8, 100, 5000):
        yield f"lists {depth} deep", "int[]", lambda depth=depth: Batch(*one_column(lambda: deep(depth)))
    plain = COLUMNS["int32"][1]
    for name, options in {
        "get_schema fails": {"schema_code": 5, "message": b"no schema \xff"},
        "get_schema fails and says nothing": {"schema_code": 22},
        "get_schema leaves nothing": {"empty": True},
        "get_next fails": {"next_code": 12, "message": b"no more"},
        "get_next fails and says nothing": {"next_code": -1},
    }.items():
        yield f"stream: {name}", "int", lambda options=options: stream(lambda: one_column(plain), **options)
    for field in ("get_schema", "get_next", "get_last_error", "release"):

        def without(field: str = field) -> Source:
            made = stream(lambda: one_column(plain), next_code=7 if field == "get_last_error" else 0)
            setattr(made.stream, field, None)
            return made

        yield f"stream: {field} null", "int", without


def main(dsn: str) -> None:
    """Try them all."""
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    for name, (kind, make) in COLUMNS.items():
        cur.execute(f"DROP TABLE IF EXISTS structures; CREATE TEMP TABLE structures (x {kind})")
        cur.copy_arrow("structures", Batch(*one_column(make)))
        cur.execute("SELECT count(*) FROM structures")
        print("right", name, cur.fetchone()[0], flush=True)
    for name, kind, make in wrong():
        print("next", name, flush=True)
        cur.execute(f"DROP TABLE IF EXISTS structures; CREATE TEMP TABLE structures (x {kind})")
        try:
            cur.copy_arrow("structures", make())
        except (kecoa.Error, ValueError) as refused:
            print("refused", name, "|", str(refused).splitlines()[0], flush=True)
        else:
            cur.execute("SELECT count(*), array_agg(x::text) FROM structures")
            print("taken", name, "|", cur.fetchone(), flush=True)
    cur.execute("SELECT 7")
    print("end", cur.fetchone()[0], released, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
