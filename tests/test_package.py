"""The package as a whole: its names, its start-up time, what it needs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import types
from pathlib import Path

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.sql
import psycopg2.tz
import pytest

import kecoa

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "python" / "kecoa").rglob("*.py"))

MODULES = [
    "psycopg2",
    "psycopg2.extensions",
    "psycopg2.extras",
    "psycopg2.sql",
    "psycopg2.tz",
    "psycopg2.errors",
    "psycopg2.errorcodes",
    "psycopg2.pool",
]


@pytest.mark.parametrize("name", MODULES)
def test_public_names(name):
    import importlib

    theirs = importlib.import_module(name)
    ours = importlib.import_module("kecoa" + name.removeprefix("psycopg2"))
    modules = {
        "psycopg2",
        "json",
        "string",
        "ext",
        "datetime",
        "time",
        "OrderedDict",
        "namedtuple",
        "lru_cache",
    }
    registered = {
        "UUID",
        "UUIDARRAY",
        "INET",
        "INETARRAY",
    }  # there once register_uuid and its like were called
    public = {n for n in vars(theirs) if not n.startswith("_")} - modules - registered
    assert {n for n in public if not hasattr(ours, n)} == set()


@pytest.mark.parametrize("name", ["connection", "cursor"])
def test_members_of_the_classes(name):
    theirs, ours = getattr(psycopg2.extensions, name), getattr(kecoa.extensions, name)
    assert {n for n in dir(theirs) if not n.startswith("_") and not hasattr(ours, n)} == set()


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_not_said_to_be_from_private_modules(name):
    import importlib
    import pickle

    theirs = importlib.import_module(name)
    module = importlib.import_module("kecoa" + name.removeprefix("psycopg2"))
    for key, value in vars(module).items():
        if key.startswith("_") or key not in vars(theirs) or isinstance(value, types.ModuleType):
            continue
        assert "_driver" not in str(getattr(value, "__module__", "")), key
        if isinstance(value, types.FunctionType):
            assert pickle.loads(pickle.dumps(value)) is value


def test_versions():
    assert kecoa.apilevel == "2.0"
    assert kecoa.threadsafety == 2
    assert kecoa.paramstyle == "pyformat"
    number, _, features = kecoa.__version__.partition(" ")
    assert number.count(".") == 2
    # The form of psycopg2's version, which programs search for features.
    assert features == psycopg2.__version__.partition(" ")[2] == "(dt dec pq3 ext lo64)"
    assert psycopg2.__version__.startswith(kecoa.extensions.PSYCOPG2_VERSION)


def test_everything_listed_is_there():
    for name in kecoa.__all__:
        assert getattr(kecoa, name) is not None
    assert set(kecoa.__all__) <= set(dir(kecoa))
    with pytest.raises(AttributeError):
        kecoa.no_such_name


@pytest.mark.parametrize(
    "name", ["kecoa", "kecoa.local", "kecoa.mongo", "kecoa.pool", "kecoa.aio", "kecoa.rows"]
)
def test_completion_offers_what_is_kecoas(name):
    import importlib

    module = importlib.import_module(name)
    offered = {each for each in dir(module) if not each.startswith("_")}
    assert set(module.__all__) <= set(dir(module))
    noise = {
        "annotations",
        "overload",
        "contextmanager",
        "Any",
        "Callable",
        "TYPE_CHECKING",
        "TypeVar",
        "Iterator",
    }
    assert offered & noise == set()
    if name == "kecoa":
        assert {"aio", "connect", "extras", "local", "pool", "run_transaction", "sql"} <= offered


def test_importing_takes_less_than_50_milliseconds():
    """Of the processor's time, best of several: what else the machine does is not the package's."""
    code = "import time; t = time.process_time(); import kecoa; print(time.process_time() - t)"
    times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(7)]
    assert min(times) < 0.050


def test_importing_brings_no_more_than_it_needs():
    code = "import sys; before = set(sys.modules); import kecoa; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.check_output(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"], text=True
    )
    for heavy in (
        "asyncio",
        "logging",
        "subprocess",
        "uuid",
        "typing_extensions",
        "importlib.metadata",
        "dis",
    ):
        assert heavy not in loaded.split()


def running(tree):
    """Every node but those that only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from running(node)


def imports(path):
    for node in running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module
            if node.module == "kecoa":
                yield from (f"kecoa.{alias.name}" for alias in node.names)


def test_the_package_needs_nothing_but_the_standard_library():
    foreign = {
        (path.name, name)
        for path in SOURCES
        # The dialects and the fixtures are for those who have SQLAlchemy and pytest; `import kecoa` does not
        # import them.
        if not {"sqlalchemy", "pytest"} & set(path.parts)
        for name in imports(path)
        # _psycopg is also imported by itself, from within the folder.
        if name.partition(".")[0] not in sys.stdlib_module_names | {"kecoa", "_kecoa"}
    }
    # Only `observe.instrument` imports it, which is for those who have it.
    assert foreign == {("_opentelemetry.py", "opentelemetry"), ("_opentelemetry.py", "opentelemetry.metrics")}


def test_no_file_is_too_long():
    generated = {"errors.py", "errorcodes.py"}
    assert [
        path.name
        for path in SOURCES
        if path.name not in generated and len(path.read_text().splitlines()) > 500
    ] == []


@pytest.mark.parametrize("generator", ["generate_errors.py", "generate_sqlstate.py"])
def test_generated_files_are_up_to_date(generator):
    subprocess.run([sys.executable, ROOT / "tools" / generator, "--check"], check=True)


def test_tz_has_psycopg2s_names():
    import datetime as dt
    import pickle

    from kecoa import tz

    for offset in (0, 60, -90, 330, dt.timedelta(hours=7), dt.timedelta(seconds=-3601)):
        ours, theirs = tz.FixedOffsetTimezone(offset), psycopg2.tz.FixedOffsetTimezone(offset)
        assert ours.tzname(None) == theirs.tzname(None)
        assert ours.utcoffset(None) == theirs.utcoffset(None)
        assert repr(ours) == repr(theirs)
        assert ours is tz.FixedOffsetTimezone(offset)
        assert pickle.loads(pickle.dumps(ours)) == ours
    assert tz.FixedOffsetTimezone(60) == tz.FixedOffsetTimezone(60, "name") != tz.FixedOffsetTimezone(61)
    now = dt.datetime(2024, 7, 1, 12)
    for name in ("utcoffset", "dst", "tzname"):
        assert getattr(tz.LOCAL, name)(now) == getattr(psycopg2.tz.LOCAL, name)(now)


def test_the_command_line():
    done = subprocess.run(
        [sys.executable, "-m", "kecoa", "--version"], capture_output=True, text=True, check=True
    )
    assert kecoa.__version__.split()[0] in done.stdout
    assert (
        subprocess.run(
            [sys.executable, "-m", "kecoa", "nonsense"], capture_output=True, check=False
        ).returncode
        == 2
    )


def test_the_stubs_lie_beside_the_package():
    folder = Path(kecoa.__file__).parent
    assert (folder / "py.typed").exists()
    assert (folder / "_kecoa.pyi").exists()
    assert os.path.exists(folder / "_alias" / "sitecustomize.py")
