"""Many argument sets in few round trips: `execute_batch` and `execute_values`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from kecoa._kecoa import encodings

_PLACEHOLDER = re.compile(rb"(%.)")


def _paginate(seq: Iterable[Any], page_size: int) -> Iterator[list[Any]]:
    """Yield the items of `seq` in lists of at most `page_size`, none of them empty."""
    items = iter(seq)
    while page := list(islice(items, page_size)):
        yield page


def execute_batch(cur: Any, sql: Any, argslist: Iterable[Any], page_size: int = 100) -> None:
    """Run `sql` once for each item of `argslist`, `page_size` of them in one message.

    `cursor.rowcount` afterwards is that of the last statement, not a total.
    """
    for page in _paginate(argslist, page_size):
        cur.execute(b";".join([cur.mogrify(sql, args) for args in page]))


def execute_values(
    cur: Any,
    sql: Any,
    argslist: Iterable[Any],
    template: Any = None,
    page_size: int = 100,
    fetch: bool = False,
) -> list[Any] | None:
    """Run `sql` with a VALUES list in place of its only `%s`, `page_size` items a statement.

    `template` is merged with each item of `argslist`; by default it is `(%s, ...)` with as many
    placeholders as the first item has values. With `fetch` the rows of all statements are returned.
    ValueError when `sql` has not exactly one `%s`. `cursor.rowcount` afterwards is that of the last
    statement.
    """
    if hasattr(sql, "as_string"):
        sql = sql.as_string(cur)
    if not isinstance(sql, bytes):
        sql = sql.encode(encodings[cur.connection.encoding])
    before, after = map(b"".join, _split_sql(sql))
    fetched: list[Any] | None = [] if fetch else None
    for page in _paginate(argslist, page_size):
        if template is None:
            template = b"(" + b",".join([b"%s"] * len(page[0])) + b")"
        values = b",".join([cur.mogrify(template, args) for args in page])
        cur.execute(before + values + after)
        if fetched is not None:
            fetched.extend(cur.fetchall())
    return fetched


def _split_sql(sql: bytes) -> tuple[list[bytes], list[bytes]]:
    """Split `sql` at its only `%s`, and replace each `%%` by `%`."""
    parts: list[list[bytes]] = [[]]
    for token in _PLACEHOLDER.split(sql):
        if len(token) != 2 or not token.startswith(b"%"):
            parts[-1].append(token)
        elif token == b"%%":
            parts[-1].append(b"%")
        elif token == b"%s":
            if len(parts) == 2:
                raise ValueError("the query contains more than one '%s' placeholder")
            parts.append([])
        else:
            found = token[1:].decode("ascii", "replace")
            raise ValueError(f"unsupported format character: '{found}'")
    if len(parts) == 1:
        raise ValueError("the query doesn't contain any '%s' placeholder")
    return parts[0], parts[1]
