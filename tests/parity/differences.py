"""Every difference between psycopg2's surface and kecoa's that stays, with its reason.

`test_surface.py` finds the differences and compares them with this table: one that is not here fails, and so
does an entry that is found no more. docs/en/psycopg2.md and docs/id/psycopg2.md show the same table.
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
