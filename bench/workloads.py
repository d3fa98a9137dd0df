"""What is measured: tables, statements and rows, the same for every driver.

Statements carry `{0}`, `{1}` … where a driver's own placeholder goes.
"""

from __future__ import annotations

from dataclasses import dataclass

SETUP = """
DROP TABLE IF EXISTS b_bytes, b_arr, b_copy, b_batch, b_mixed, b_acc, b_wide, b_docs, b_tags, b_texts;
CREATE TABLE b_bytes (b bytea);
INSERT INTO b_bytes SELECT repeat('a', 1000)::bytea FROM generate_series(1, 100);
CREATE TABLE b_arr (a int[]);
INSERT INTO b_arr
  SELECT (SELECT array_agg(i) FROM generate_series(1, 100) s (i)) FROM generate_series(1, 100);
CREATE UNLOGGED TABLE b_copy (a int, b int, c int, d text, e float, f int, g text);
CREATE UNLOGGED TABLE b_batch (a int, b int, c int, d text, e float, f int, g text);
CREATE TABLE b_mixed (i8 int8, i4 int4, f8 float8, n numeric, t text, b bool, u uuid,
                      ts timestamptz, d date, j jsonb, nl text);
INSERT INTO b_mixed
  SELECT i::int8 * 1000003, i, i * 1.1, (i * 13.37)::numeric(12, 2), 'row number ' || i, i % 2 = 0,
         gen_random_uuid(), '2024-01-01'::timestamptz + i * interval '1 minute',
         '2024-01-01'::date + i % 365, '{"a": [1, 2, 3], "b": "x"}', NULL
  FROM generate_series(1, 10000) i;
CREATE TABLE b_docs (d jsonb);
INSERT INTO b_docs
  SELECT jsonb_build_object('id', i, 'title', 'document ' || i, 'text', repeat('lorem ipsum ', 120), 'tags',
         (SELECT jsonb_agg(jsonb_build_object('n', n, 'tag', 'tag ' || n * i)) FROM generate_series(1, 20) n))
  FROM generate_series(1, 1000) i;
CREATE TABLE b_tags (a text[]);
INSERT INTO b_tags
  SELECT (SELECT array_agg('tag number ' || n * i) FROM generate_series(1, 20) n)
  FROM generate_series(1, 4000) i;
CREATE TABLE b_texts (t text);
INSERT INTO b_texts SELECT repeat('naïve café, déjà vu, ', 150) FROM generate_series(1, 2000) i;
CREATE TABLE b_acc (id int PRIMARY KEY, balance int8);
INSERT INTO b_acc SELECT i, 1000000 FROM generate_series(1, 1000) i;
ANALYZE;
"""

#: Hundreds of columns.
WIDE = ", ".join(f"i * {n} AS i{n}, 'value ' || i + {n} AS t{n}" for n in range(100))
SETUP += f"CREATE TABLE b_wide AS SELECT {WIDE} FROM generate_series(1, 2000) i;\n"

#: Emptied before each driver's turn at a workload that fills them: what shared_buffers cannot hold is slow.
TRUNCATE = "TRUNCATE b_batch, b_copy"
FILLS = {"executemany1k", "atomic1k", "execute_values1k", "copy10k"}


@dataclass(frozen=True)
class Fetch:
    """One statement whose rows are all fetched."""

    sql: str
    args: tuple[object, ...] = ()

    def text(self, style: str) -> str:
        """The statement with a driver's placeholders."""
        return placeholders(self.sql, style)

    def literal(self) -> str:
        """The statement with its arguments written in, for the floor drivers."""
        return self.sql.format(*(str(a).lower() if isinstance(a, bool) else str(a) for a in self.args))


FETCH = {
    "oneplusone": Fetch("SELECT 1+1"),
    "point": Fetch("SELECT id, balance FROM b_acc WHERE id = {0}", (7,)),
    "pg_type": Fetch(
        "SELECT typname, typnamespace, typowner, typlen, typbyval, typcategory, typispreferred, typisdefined,"
        " typdelim, typrelid, typelem, typarray FROM pg_type WHERE typtypmod = {0} AND typisdefined = {1}",
        (-1, True),
    ),
    "series1k": Fetch("SELECT i FROM generate_series(1, {0}) AS i", (1000,)),
    "bytes100k": Fetch("SELECT * FROM b_bytes"),
    "arrays": Fetch("SELECT * FROM b_arr"),
    "mixed10k": Fetch("SELECT i8, i4, f8, n, t, b, u, ts, d, j, nl FROM b_mixed"),
    "wide": Fetch("SELECT * FROM b_wide"),
    "documents": Fetch("SELECT * FROM b_docs"),
    "text_arrays": Fetch("SELECT * FROM b_tags"),
    "long_text": Fetch("SELECT * FROM b_texts"),
}

#: Its rows are taken one by one.
ITERATED = "SELECT i AS a, i::text AS b, i * 1.5::float8 AS c FROM generate_series(1, 20000) AS i"

INSERT = "INSERT INTO b_batch (a, b, c, d, e, f, g) VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6})"
INSERT_VALUES = "INSERT INTO b_batch (a, b, c, d, e, f, g) VALUES %s"
ROW = (10, 11, 10, "TESTTESTTEST", 10.333, 12341234, "123412341234")
BATCH = [ROW] * 1000
COPY = "COPY b_copy FROM STDIN"
COPY_TEXT = ("\t".join(map(str, ROW)) + "\n") * 10_000

#: SELECT, debit, credit: with BEGIN and COMMIT the transaction of the tutorial.
TRANSFER = (
    "SELECT balance FROM b_acc WHERE id = {0}",
    "UPDATE b_acc SET balance = balance - {0} WHERE id = {1}",
    "UPDATE b_acc SET balance = balance + {0} WHERE id = {1}",
)

#: `atomic1k` is `executemany1k` whose rows take effect together, which is asyncpg's only way.
ALL = [
    *FETCH, "iterate20k", "executemany1k", "atomic1k", "execute_values1k", "copy10k", "transfer", "connect",
]  # fmt: skip


def placeholders(sql: str, style: str) -> str:
    """`sql` with `%s` or `$1`, `$2` … in the place of `{0}`, `{1}` …"""
    marks = ["%s"] * 12 if style == "%s" else [f"${i}" for i in range(1, 13)]
    return sql.format(*marks)
