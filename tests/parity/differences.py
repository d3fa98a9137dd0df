"""Every difference between psycopg2's surface and kecoa's that stays, with its reason.

`test_surface.py` finds the differences and compares them with this table: one that is not here fails, and so
does an entry that is found no more. docs/en/reference/psycopg2.md and docs/id/reference/psycopg2.md show the same table.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Difference:
    """Differences of one reason. `findings` are what `test_surface.py` calls them."""

    topic: str
    reason: str
    findings: tuple[str, ...]


DIFFERENCES = (
    Difference(
        "Imports of psycopg2's source",
        "Modules and names that psycopg2's files import for themselves are no part of its interface; "
        "kecoa's files need others.",
        (
            "psycopg2._range: no re",
            "psycopg2.extensions: no _re",
            "psycopg2.extras: no OrderedDict",
            "psycopg2.extras: no _A",
            "psycopg2.extras: no _re",
            "psycopg2.extras: no lru_cache",
            "psycopg2.extras: no namedtuple",
            "psycopg2.extras: no psycopg2",
            "psycopg2.pool: no psycopg2",
        ),
    ),
    Difference(
        "Private helpers",
        "Patterns and functions by which psycopg2 parses; kecoa parses in another way.",
        (
            "psycopg2._range.RangeCaster: no _re_range",
            "psycopg2._range.RangeCaster: no _re_undouble",
            "psycopg2.errorcodes.lookup: (code, _cache={}), ours (code)",
            'psycopg2.extensions._param_escape: (s, re_escape=re.compile("([\\\\\\\\\'])"), '
            "re_space=re.compile('\\\\s')), ours (value)",
            "psycopg2.extras.CompositeCaster: no _re_tokenize",
            "psycopg2.extras.CompositeCaster: no _re_undouble",
            "psycopg2.extras.HstoreAdapter: no _getquoted_8",
            "psycopg2.extras.HstoreAdapter: no _getquoted_9",
            "psycopg2.extras.HstoreAdapter: no _re_hstore",
            "psycopg2.extras: no _re_clean",
        ),
    ),
    Difference(
        "`tz.FixedOffsetTimezone` can be hashed",
        "psycopg2's defines equality without a hash, so that an aware datetime's zone is no key of a dict.",
        ("psycopg2.tz.FixedOffsetTimezone.__hash__: NoneType, ours method",),
    ),
)


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """Something that kecoa does in another way, on purpose. `test` shows it, as `file::function`."""

    what: str
    psycopg2: str
    kecoa: str
    test: str


BEHAVIOURS = (
    Behaviour(
        "A statement with a NUL character",
        "is cut off there and sent: `DELETE FROM t \\0WHERE …` deletes everything",
        "`ProgrammingError`, nothing is sent",
        "parity/test_statements.py::test_nul_ends_no_query",
    ),
    Behaviour(
        "`encrypt_password` with a NUL character",
        "encrypts what comes before it",
        "`ValueError`",
        "parity/test_passwords.py::test_nothing_is_cut_off",
    ),
    Behaviour(
        "Intervals in `IntervalStyle` `sql_standard` or `postgres_verbose`",
        "a day in `sql_standard` is read as ten hours",
        "the right value",
        "parity/test_generated.py::test_how_psycopg2_misreads",
    ),
    Behaviour(
        "Dates in a `DateStyle` that is not `ISO`",
        "`DataError` or `ValueError`",
        "`DataError`, or the right value",
        "parity/test_generated.py::test_a_style_that_psycopg2_misreads_is_refused_or_read_right",
    ),
    Behaviour(
        "Arrays of strings in SJIS or BIG5, whose characters may hold the byte of a backslash",
        "loses bytes, or fails",
        "the strings",
        "parity/test_encodings.py::test_arrays_whose_bytes_look_like_backslashes",
    ),
    Behaviour(
        "Rows that came before `client_encoding` changed and are fetched behind it",
        "other characters, or `UnicodeDecodeError`",
        "the text",
        "parity/test_encodings.py::test_rows_that_came_before_the_encoding_changed",
    ),
    Behaviour(
        "`QuotedString` without a connection, in another encoding than the last connection's",
        "bytes of another string",
        "the string's bytes",
        "parity/test_mogrify.py::test_a_string_in_another_encoding_than_the_last_connections",
    ),
    Behaviour(
        "`SHIFT_JIS_2004` with `standard_conforming_strings` off",
        "a backslash is sent in two bytes, and not escaped: it escapes what follows, the end of the literal too",
        "the text",
        "parity/test_wrong_values.py::test_a_backslash_of_two_bytes",
    ),
    Behaviour(
        "A yen sign or overline in a Japanese encoding that has none",
        "becomes a backslash or a tilde",
        "`UnicodeEncodeError`",
        "parity/test_wrong_values.py::test_a_yen_sign",
    ),
    Behaviour(
        "`cursor.cast` of a `str`, and so ranges and composite values, in an encoding that is not UTF-8",
        "other characters",
        "the text",
        "parity/test_wrong_values.py::test_text_that_a_typecaster_passes_on",
    ),
    Behaviour(
        "A number of a class derived from `float` (numpy's)",
        "its `repr`, which no server reads",
        "the number",
        "parity/test_wrong_values.py::test_numbers_by_their_repr",
    ),
    Behaviour(
        "numpy's other scalars",
        "`ProgrammingError`: can't adapt",
        "their values; `NaT` is NULL",
        "parity/test_wrong_values.py::test_scalars_of_numpy",
    ),
    Behaviour(
        "`uuid.UUID` without `register_uuid`",
        "`ProgrammingError`: can't adapt",
        "adapts",
        "parity/test_mogrify.py::test_uuids_without_registration",
    ),
    Behaviour(
        "A `NumericRange` whose bound is a string",
        "ends the literal with it: what follows is SQL",
        "`DataError`",
        "parity/test_ranges.py::test_bounds_that_are_no_numbers",
    ),
    Behaviour(
        "A `NumericRange` with NaN or an infinity",
        "`SyntaxError`",
        "the range",
        "parity/test_ranges.py::test_bounds_that_have_no_digits",
    ),
    Behaviour(
        "A wrong number of values",
        "`IndexError` or `TypeError` without numbers",
        "the same, with both numbers",
        "parity/test_wrong_values.py::test_numbers_of_values",
    ),
    Behaviour(
        "A percent sign in a statement with too few values",
        "`IndexError`",
        "the same, and says that it is written `%%`",
        "parity/test_wrong_values.py::test_a_percent_sign_that_is_no_placeholder",
    ),
    Behaviour(
        "A type without an adapter for which there is a `register_…` function",
        "`ProgrammingError`",
        "the same, and names it",
        "parity/test_wrong_values.py::test_what_would_adapt_it",
    ),
    Behaviour(
        "A typecaster that runs a statement on the cursor whose rows it converts",
        "reads freed memory: other rows, or the end of the process",
        "`ProgrammingError`",
        "parity/test_wrong_values.py::test_a_typecaster_that_uses_its_cursor",
    ),
    Behaviour(
        "What follows a schema change that commits the transaction, as CockroachDB's do",
        "is committed statement by statement, and `rollback()` does not undo it",
        "is a transaction",
        "dbapi/test_implicit_commits.py::test_what_follows_a_change_of_the_schema_is_rolled_back",
    ),
    Behaviour(
        "A signal handler that uses the connection whose statement is under way",
        "runs when the statement is over",
        "runs at once: `ProgrammingError`; `close` takes effect when the statement is over",
        "parity/test_reentrancy.py::test_a_signal_handler",
    ),
    Behaviour(
        "The file of a COPY that uses the connection",
        "`DatabaseError`, and the connection is lost",
        "`ProgrammingError`, and the connection goes on",
        "parity/test_reentrancy.py::test_the_file_of_a_copy",
    ),
    Behaviour(
        "`copy_to` whose file raises",
        "the connection stays inside the COPY and can't be used",
        "the connection goes on",
        "parity/test_copies.py::test_a_target_that_fails",
    ),
    Behaviour(
        "`copy_from` whose file raises",
        "the file's exception is words in the server's error",
        "it is the error's `__cause__`, too",
        "parity/test_copies.py::test_the_cause_is_attached",
    ),
    Behaviour(
        "`execute` of a COPY on an asynchronous connection",
        "the connection stays inside the COPY",
        "`ProgrammingError`, and the connection goes on",
        "parity/test_async.py::test_a_copy_is_refused_and_the_connection_goes_on",
    ),
    Behaviour(
        "`putconn` of a pool with a key that is not the connection's",
        "it is in the pool and in use, so that two users get it",
        "`KeyError` or `PoolError`, and it stays with its user",
        "parity/test_pools.py::test_what_comes_back_by_a_wrong_key_stays_with_its_user",
    ),
    Behaviour(
        "`next(cursor)` of a `NamedTupleCursor`",
        "a plain tuple; only `for` gives named ones",
        "a named tuple",
        "parity/test_row_types.py::test_next_of_a_named_tuple_cursor_is_a_named_tuple",
    ),
    Behaviour(
        "`pgcode` of a connection that the server refuses",
        "`None`",
        "the server's SQLSTATE",
        "parity/test_connecting.py::test_refused_connections",
    ),
    Behaviour(
        "SQLSTATEs that only CockroachDB has",
        "`DatabaseError` or the class of their first two characters",
        "classes of their own in `errors`, names in `errorcodes`",
        "parity/test_sqlstates.py::test_cockroachdbs_own_sqlstates",
    ),
    Behaviour(
        "`pgconn_ptr`, `pgresult_ptr`",
        "addresses in libpq",
        "`None`: there is no libpq",
        "parity/test_surface.py::test_there_is_no_libpq",
    ),
)
