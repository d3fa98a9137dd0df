"""Values and rows that several tests use."""

from __future__ import annotations

import datetime as dt
import uuid

UUID = uuid.UUID("12345678-1234-5678-1234-567812345678")


UTC = dt.timezone.utc


def rows(cur, query):
    cur.execute(query)
    return cur.fetchall()
