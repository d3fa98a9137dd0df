"""A plugin of pytest's: leaves out the tests, or cases of one, that the environment's SUITE_LEFT_OUT names."""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    names = os.environ["SUITE_LEFT_OUT"].split(",")
    items[:] = [item for item in items if item.originalname not in names and item.name not in names]
