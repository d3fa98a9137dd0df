"""The ways in which a value gets to the server and back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from kecoa import extras

UTC = dt.timezone.utc


def seen(value):
    """A value in a form that compares: NaN equals itself, the sign of zero counts, numbers are numbers."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, list):
        return [seen(item) for item in value]
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return "NaN" if value.is_nan() else value.normalize() if value.is_finite() else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value).normalize()
    return value.astimezone(UTC) if isinstance(value, dt.datetime) and value.tzinfo else value


def is_smallest(value):
    return value in (-(2**15), -(2**31), -(2**63)) if type(value) is int else False


class Blocking:
    """The ways of a connection that blocks. Each takes a type and a value, and gives what came back."""

    def __init__(self, connect, binding):
        extras.register_uuid()
        self.conn = connect(binding=binding)
        self.cur = self.conn.cursor()
        self.cur.execute("SET TIME ZONE 'UTC'")
        self.casts = binding == "server"

    def table(self, kind):
        self.cur.execute(f"DROP TABLE IF EXISTS through; CREATE TEMP TABLE through (n serial, x {kind})")

    def rows(self):
        self.cur.execute("SELECT x FROM through ORDER BY n")
        return [value for (value,) in self.cur.fetchall()]

    def one(self, cur):
        return [cur.fetchone()[0]]

    def inserted(self, kind, value):
        self.table(kind)
        self.cur.execute("INSERT INTO through (x) VALUES (%s)", (value,))
        return self.rows()

    def by_name(self, kind, value):
        self.cur.execute(f"SELECT %(v)s{self.cast(kind, value)}, %(v)s{self.cast(kind, value)}", {"v": value})
        return list(self.cur.fetchone())

    def cast(self, kind, value):
        return "" if is_smallest(value) and not self.casts else f"::{kind}"

    def asked(self, kind, value):
        self.cur.execute(f"SELECT %s{self.cast(kind, value)}", (value,))
        return self.one(self.cur)

    def of_many(self, kind, value):
        self.table(kind)
        self.cur.executemany("INSERT INTO through (x) VALUES (%s)", [(value,), (value,), (value,)])
        return self.rows()

    def of_values(self, kind, value):
        self.table(kind)
        extras.execute_values(self.cur, "INSERT INTO through (x) VALUES %s", [(value,), (value,)])
        return self.rows()

    def of_a_batch(self, kind, value):
        self.table(kind)
        extras.execute_batch(self.cur, "INSERT INTO through (x) VALUES (%s)", [(value,), (value,)])
        return self.rows()

    def in_a_pipeline(self, kind, value):
        with self.conn.pipeline() as pipe:
            cur = pipe.execute(f"SELECT %s{self.cast(kind, value)}", (value,))
        return self.one(cur)

    def streamed(self, kind, value):
        return [row[0] for row in self.conn.cursor().stream(f"SELECT %s{self.cast(kind, value)}", (value,))]

    def named(self, kind, value):
        cur = self.conn.cursor("named")
        cur.execute(f"SELECT %s{self.cast(kind, value)}", (value,))
        found = [row[0] for row in cur]
        cur.close()
        return found


WAYS = [
    name
    for name, way in vars(Blocking).items()
    if not name.startswith("_") and name not in ("table", "rows", "one", "cast")
]


text = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
