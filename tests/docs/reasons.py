"""Why a block of a page may stay unrun, and how many blocks do: `<!-- not run: REASON -->`.

A block that is excused without being counted here fails tests/docs/test_pages.py, and so does a count that is
too high. The pages are the English ones; the Indonesian ones have the same markers.
"""

from __future__ import annotations

REASONS = {
    "cloud": "needs an account on CockroachDB Cloud",
    "cluster": "needs a CockroachDB cluster or features of it that the local endpoint lacks",
    "install": "installs software, which tests do not",
    "other driver": "shows a program of another driver, which is not installed here",
    "long-running": "runs until it is stopped",
    "fragment": "shows a part of a program that is complete elsewhere",
    "secret": "needs a certificate, a password or a host of the reader's",
    "library": "needs a library that the tests do not install: too large, or in the way of another one",
    "systemd": "needs systemd, which containers lack",
    "tested elsewhere": "a test of its own runs it, with the server that it needs",
}

# A line a page, so that changes of different pages do not meet.
EXCUSED = {
    "docs/en/guides/data.md": {"library": 6},
    "docs/en/guides/django.md": {"fragment": 1, "install": 1, "library": 5},
    "docs/en/guides/fastapi.md": {"install": 1, "tested elsewhere": 1},
    "docs/en/guides/flask.md": {"fragment": 1, "install": 1},
    "docs/en/guides/jupyter.md": {"install": 1, "library": 9},
    "docs/en/guides/node.md": {"install": 1, "library": 2},
    "README.md": {"install": 1},
    "docs/en/guides/deployment.md": {"install": 1, "secret": 1},
    "docs/en/guides/migrating.md": {"install": 1, "other driver": 1},
    "docs/en/guides/observability.md": {"install": 1},
    "docs/en/guides/scaling.md": {"cluster": 1},
    "docs/en/reference/connecting.md": {"tested elsewhere": 1},
    "docs/en/reference/doctor.md": {"secret": 1},
    "docs/en/reference/fault-injection.md": {"long-running": 1},
    "docs/en/reference/local.md": {"systemd": 1},
    "docs/en/reference/platforms.md": {"install": 1},
    "docs/en/reference/sql.md": {"install": 1, "tested elsewhere": 1},
    "docs/en/reference/sqlalchemy.md": {"cluster": 1},
    "docs/en/reference/tls.md": {"tested elsewhere": 3},
    "docs/en/tutorial/psycopg2-and-sqlalchemy.md": {"install": 1},
    "docs/en/tutorial/rust.md": {"install": 1, "tested elsewhere": 1},
    "docs/en/tutorial/transfer.md": {"cloud": 5, "install": 3},
}
