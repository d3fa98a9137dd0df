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
