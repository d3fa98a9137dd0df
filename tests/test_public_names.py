"""What users have says where they have it: in reprs, tracebacks, pickles, `help()` and Sphinx."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import subprocess
import sys
import types

import pytest

import kecoa

# pytest rewrites what it loads as a plugin; the rest of these need what may not be installed.
SKIPPED = frozenset({"kecoa.__main__", "kecoa.sqlalchemy.provision"})


def public_modules():
    yield "kecoa"
    for module in pkgutil.walk_packages(kecoa.__path__, "kecoa."):
        if "._" not in module.name and module.name not in SKIPPED:
            yield module.name


# As psycopg2's, it says that it is of another module.
ELSEWHERE = frozenset({"ReplicationMessage"})

MODULES = sorted(public_modules())


def named(name):
    """The public classes and functions of a module that are kecoa's."""
    module = importlib.import_module(name)
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [each for each in vars(module) if not each.startswith("_")]
    for each in listed:
        value = getattr(module, each)
        if not isinstance(value, type | types.FunctionType) or each in ELSEWHERE:
            continue
        if value.__module__.partition(".")[0] == "kecoa":
            yield each, value


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_from_public_modules(name):
    for each, value in named(name):
        assert "._" not in value.__module__, each
        found = importlib.import_module(value.__module__)
        for part in value.__qualname__.split("."):
            found = getattr(found, part)
        assert found is value, each
        assert "._" not in repr(value), each


@pytest.mark.parametrize("name", MODULES)
def test_they_can_be_pickled(name):
    for each, value in named(name):
        assert pickle.loads(pickle.dumps(value)) is value, each


def test_there_are_modules_and_names():
    assert {"kecoa", "kecoa.aio", "kecoa.pool", "kecoa.types", "kecoa.sqlalchemy.cockroachdb"} <= set(MODULES)
    assert {"Pool", "PoolTimeout"} <= dict(named("kecoa.pool")).keys()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise kecoa.pool.PoolTimeout('x')", "kecoa.pool.PoolTimeout: x"),
        ("raise kecoa.aio.Rollback", "kecoa.aio.Rollback"),
        ("print(kecoa.pool.Pool, file=sys.stderr)", "<class 'kecoa.pool.Pool'>"),
        ("print(kecoa.pool.Pool(open=False), file=sys.stderr)", "<kecoa.pool.Pool 'pool' [closed]>"),
        ("print(kecoa.aio.AsyncConnectionPool(), file=sys.stderr)", "<kecoa.aio.AsyncConnectionPool 'pool'"),
        ("print(kecoa.pool.Pool(open=False).connection(), file=sys.stderr)", "<kecoa.pool.Checkout object"),
    ],
)
def test_what_is_printed(code, said):
    code = f"import sys, kecoa\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said in done.stderr
    assert "._" not in done.stderr.splitlines()[-1]
