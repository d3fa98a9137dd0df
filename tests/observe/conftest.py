"""Events of a test."""

from __future__ import annotations

from typing import Any

import pytest

import kecoa
import kecoa.aio
import kecoa.observe


@pytest.fixture
def events() -> Any:
    heard: list[kecoa.observe.Event] = []
    kecoa.observe.add_listener(heard.append)
    yield heard
    kecoa.observe.remove_listener(heard.append)
