"""Events of a test."""

from __future__ import annotations

from typing import Any

import pytest

import kecoa
import kecoa.aio
import kecoa.observe


@pytest.fixture
def events() -> Any:
    seen: list[kecoa.observe.Event] = []
    kecoa.observe.add_listener(seen.append)
    yield seen
    kecoa.observe.remove_listener(seen.append)
