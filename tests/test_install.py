"""`kecoa.install_as_psycopg2()`: from then on `import psycopg2` is kecoa."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

import kecoa

SUBMODULES = [
    "_ipaddress",
    "_json",
    "_psycopg",
    "_range",
    "errorcodes",
    "errors",
    "extensions",
    "extras",
    "pool",
    "sql",
    "tz",
]


def python(source, *options, **environment):
    """What a Python of its own prints; its complaint as the last line when it fails."""
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(source)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize("form", ["import psycopg2.{0} as {0}", "from psycopg2 import {0}"])
def test_submodules(form):
    imports = "; ".join(form.format(name) for name in SUBMODULES)
    printed = python(
        f"import kecoa; kecoa.install_as_psycopg2(); {imports}; import psycopg2; "
        f"print([getattr(psycopg2, name) is globals()[name] for name in {SUBMODULES}], _psycopg.__name__, "
        f"*sorted({{globals()[name].__name__ for name in {SUBMODULES}}}))"
    )
    names = sorted("kecoa._kecoa" if name == "_psycopg" else f"kecoa.{name}" for name in SUBMODULES)
    assert printed == " ".join([str([True] * len(SUBMODULES)), "kecoa._kecoa", *names])


def test_a_program_runs(dsn):
    assert (
        python(
            """
            import os, kecoa
            kecoa.install_as_psycopg2()
            import psycopg2, psycopg2.extras
            from psycopg2.extensions import connection
            from psycopg2 import errors, OperationalError
            assert OperationalError is kecoa.OperationalError
            with psycopg2.connect(os.environ["DSN"], cursor_factory=psycopg2.extras.DictCursor) as conn:
                assert isinstance(conn, connection)
                cur = conn.cursor()
                try:
                    cur.execute("SELECT nope")
                except errors.UndefinedColumn as error:
                    conn.rollback()
                cur.execute("SELECT %s AS it", ("works",))
                print(cur.fetchone()["it"])
            """,
            DSN=dsn,
        )
        == "works"
    )


def test_it_may_be_called_again():
    assert (
        python("""
        import sys, kecoa
        for _ in range(3):
            kecoa.install_as_psycopg2()
            import psycopg2.extras
        print(sum(type(finder).__module__ == "kecoa._alias" for finder in sys.meta_path))
        """)
        == "1"
    )


@pytest.mark.parametrize("first", ["psycopg2", "psycopg2.extras", "psycopg2.errorcodes"])
def test_the_real_one_was_there_first(first):
    complaint = python(f"""
        import {first}, kecoa
        kecoa.install_as_psycopg2()
        """)
    assert complaint == (
        "RuntimeError: expected psycopg2 not to be imported yet, found it in sys.modules: "
        "call install_as_psycopg2() before anything imports psycopg2"
    )


def test_importing_kecoa_answers_nothing_by_itself():
    assert python("import kecoa, psycopg2; print(psycopg2.__name__)") == "psycopg2"


def test_what_is_not_there_is_not_found():
    complaint = python("import kecoa; kecoa.install_as_psycopg2(); import psycopg2.nonsense")
    assert complaint == "ModuleNotFoundError: kecoa has no counterpart of psycopg2.nonsense yet"


def test_pickles_of_both_names(dsn):
    """A program's pickles name classes by where it found them."""
    assert (
        python("""
        import pickle, kecoa
        kecoa.install_as_psycopg2()
        import psycopg2.extras, psycopg2.errors
        values = [psycopg2.errors.UniqueViolation("x"), psycopg2.extras.NumericRange(1, 2)]
        back = pickle.loads(pickle.dumps(values))
        named = b"cpsycopg2.errors\\nUniqueViolation\\n(Vx\\ntR."
        print(type(back[0]) is type(pickle.loads(named)) is kecoa.errors.UniqueViolation, back[1] == values[1])
        """)
        == "True True"
    )


def test_it_is_documented():
    assert "psycopg2" in kecoa.install_as_psycopg2.__doc__
    assert "install_as_psycopg2" in kecoa.__all__
    assert "install_as_psycopg2" in dir(kecoa)


OBJECTS = """
import copy, datetime, pickle, sys
import {package}
import {package}.extensions, {package}.extras, {package}.errors, {package}.pool, {package}.sql, {package}.tz
import {package}._range
package = {package}

def objects(dsn):
    conn = package.connect(dsn)
    cur = conn.cursor()
    found = {{}}
    try:
        cur.execute("CREATE TEMP TABLE twice (a int PRIMARY KEY); INSERT INTO twice VALUES (1), (1)")
    except package.Error as error:
        found["error"] = error
    conn.rollback()
    for name in ("DictCursor", "RealDictCursor"):
        cur = conn.cursor(cursor_factory=getattr(package.extras, name))
        cur.execute("SELECT 1 AS a, 'x' AS b")
        found[name] = cur.fetchone()
    found["columns"] = cur.description
    found["numbers"] = package.extras.NumericRange(1, 2)
    found["days"] = package.extras.DateRange(datetime.date(2024, 1, 1), None, "(]")
    found["nothing"] = package.extras.DateTimeTZRange(empty=True)
    found["range"] = package._range.Range("a", "b")
    found["json"] = package.extras.Json({{"a": [1]}})
    found["inet"] = package.extras.Inet("1.2.3.4")
    found["sql"] = package.sql.SQL("{{}} {{}}").format(package.sql.Identifier("a", "b"), package.sql.Literal(1))
    found["zone"] = package.tz.FixedOffsetTimezone(offset=90)
    found["local"] = package.tz.LOCAL
    for name in ("OperationalError", "Warning", "InterfaceError"):
        found[name] = getattr(package, name)("words", 2)
    found["cancelled"] = package.extensions.QueryCanceledError("words")
    found["pool"] = package.pool.PoolError("words")
    found["classes"] = [
        package.errors.UniqueViolation, package.errors.lookup("40001"), package.Error, package.extensions.connection,
        package.extensions.cursor, package.extras.RealDictCursor, package.pool.ThreadedConnectionPool,
        package.extensions.Column, package.extensions.AsIs, package.extras.NumericRange, package.extras.RangeAdapter,
    ]
    return found

def described(value):
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return [described(item) for item in value]
    if isinstance(value, BaseException):
        return type(value).__name__, value.args, getattr(value, "pgcode", None), getattr(value, "pgerror", None)
    if isinstance(value, type) or callable(value):
        return value.__module__, value.__qualname__
    if type(value).__name__ == "DictRow":
        return list(value), list(value.keys()), value["b"], type(value).__module__
    if type(value).__name__ in ("Json", "LocalTimezone"):
        return type(value).__module__, getattr(value, "adapted", None)
    return type(value).__module__, repr(value)
"""

WRITE = (
    OBJECTS
    + """
found = objects(sys.argv[1])
print([[pickle.dumps(found, protocol) for protocol in range(2, 6)], sorted((k, described(v)) for k, v in found.items())])
"""
)

READ = (
    OBJECTS
    + """
pickles, said = eval(sys.stdin.read())
for pickled in pickles:
    found = pickle.loads(pickled)
    assert sorted((k, described(v)) for k, v in found.items()) == said, (found, said)
    if {again}:
        for value in found.values():
            for twin in (copy.copy(value), copy.deepcopy(value)):
                # (psycopg2's DictRow copies into a dict by its own method, not by copy's.)
                assert described(twin) == described(value)
print("same")
"""
)

INSTALLED = "import kecoa; kecoa.install_as_psycopg2()\n"


def run_program(source, *arguments, given=""):
    done = subprocess.run(
        [sys.executable, "-c", source, *arguments], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("writer", ["psycopg2", "kecoa as psycopg2"])
@pytest.mark.parametrize("reader", ["psycopg2", "kecoa as psycopg2"])
def test_pickles_are_psycopg2s(dsn, writer, reader):
    """Objects, errors and classes, by each protocol, say the same and load in the other driver."""
    prefix = {"psycopg2": "", "kecoa as psycopg2": INSTALLED}
    written = run_program(prefix[writer] + WRITE.format(package="psycopg2"), dsn)
    read = prefix[reader] + READ.format(package="psycopg2", again=reader != "psycopg2")
    assert run_program(read, given=written) == "same\n"


def test_without_it_they_are_kecoas(dsn):
    written = run_program(WRITE.format(package="kecoa"), dsn)
    # (The text of a time zone is psycopg2's.)
    assert "psycopg2" not in written.replace("psycopg2.tz.FixedOffsetTimezone(", "")
    assert run_program(READ.format(package="kecoa", again=True), given=written) == "same\n"
    # Where kecoa stands in for psycopg2 they load as well.
    assert (
        run_program(
            INSTALLED + "import sys, pickle\nfor p in eval(sys.stdin.read())[0]: pickle.loads(p)",
            given=written,
        )
        == ""
    )


def test_what_was_imported_before_is_renamed():
    assert (
        python(
            """
            import kecoa, kecoa.extras, kecoa.aio, kecoa.pool
            kecoa.install_as_psycopg2()
            print(kecoa.extras.DictRow.__module__, kecoa.errors.UniqueViolation.__module__, kecoa.Error.__module__,
                  kecoa._range.DateRange.__module__, kecoa.connect.__module__, kecoa.extras.Json.__module__,
                  kecoa.pool.Pool.__module__, kecoa.RetryPolicy.__module__, kecoa.aio.AsyncConnection.__module__,
                  kecoa.pool.PoolFull.__module__)
            """
        )
        == "psycopg2.extras psycopg2.errors psycopg2 psycopg2._range kecoa psycopg2._json "
        "kecoa.pool kecoa kecoa.aio kecoa.pool"
    )


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("extras", "NumericRange"),
        ("extras", "DictCursor"),
        ("sql", "SQL"),
        ("pool", "PoolError"),
        ("tz", "FixedOffsetTimezone"),
        ("errors", "UniqueViolation"),
        ("extensions", "Notify"),
    ],
)
@pytest.mark.parametrize(
    "found",
    ["from psycopg2 import {0} as m", "import psycopg2.{0} as m", "import psycopg2; m = psycopg2.{0}"],
)
def test_a_class_has_one_name_however_its_module_is_imported(module, name, found):
    program = f"""
import kecoa
kecoa.install_as_psycopg2()
{found.format(module)}
print(m.{name}.__module__, m is kecoa.{module})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    origin, is_ours = done.stdout.split()
    assert origin.partition(".")[0] == "psycopg2"
    assert is_ours == "True"
