"""`kecoa run`: psycopg2 is kecoa in the program and below it, and nothing else changes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

import kecoa


@pytest.fixture
def run(tmp_path, dsn):
    """Runs `kecoa run` on a program text; returns its output."""

    def runner(source, *arguments, options=(), environment=(), check=True, name="program.py"):
        program = tmp_path / name
        program.write_text(textwrap.dedent(source))
        done = subprocess.run(
            [sys.executable, "-m", "kecoa", "run", *options, str(program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "DATABASE_URL": dsn, **dict(environment)},
        )
        if check:
            assert done.returncode == 0, done.stderr
            return done.stdout
        return done

    return runner


def test_psycopg2_is_kecoa(run):
    output = run(
        """
        import os, psycopg2, psycopg2.extras, psycopg2.extensions
        from psycopg2 import errors, sql, pool, tz, errorcodes
        from psycopg2._psycopg import connection
        import kecoa
        assert psycopg2.connect is kecoa.connect and psycopg2.extras is kecoa.extras
        assert set(dir(psycopg2)) == set(dir(kecoa)) and psycopg2.__all__ is kecoa.__all__
        assert issubclass(psycopg2.extras.DictConnection, connection)
        conn = psycopg2.connect(os.environ["DATABASE_URL"])
        cur = conn.cursor()
        cur.execute("SELECT %s", ("it works",))
        print(cur.fetchone()[0])
        """
    )
    assert output == "it works\n"


def test_the_version_is_psycopg2s(run):
    """Programs refuse a psycopg2 whose version is below what they know."""
    output = run(
        """
        import psycopg2, kecoa
        print(*psycopg2.__version__.split()[:1])
        assert kecoa.__version__.split()[0] in psycopg2.__version__ != kecoa.__version__
        """
    )
    assert output == kecoa.extensions.PSYCOPG2_VERSION + "\n"


def test_what_is_replaced_in_psycopg2_is_replaced_in_kecoa(run):
    output = run(
        """
        import psycopg2, kecoa
        spec = psycopg2.__spec__.name, kecoa.__spec__.name
        real = psycopg2._connect
        psycopg2._connect = lambda dsn, **kwargs: dsn
        print(kecoa.connect("dbname=a"), *spec)
        psycopg2._connect = real
        psycopg2.mark = 1
        del psycopg2.mark
        print(hasattr(kecoa, "mark"), kecoa._connect is real)
        """
    )
    assert output == "dbname=a psycopg2 kecoa\nFalse True\n"


def test_in_child_pythons_too(run):
    output = run(
        """
        import multiprocessing, subprocess, sys

        def child(queue):
            import psycopg2
            queue.put(psycopg2.connect.__module__)

        if __name__ == "__main__":
            code = "import psycopg2.extras, sys; print(psycopg2.extras.__name__)"
            print(subprocess.check_output([sys.executable, "-c", code], text=True), end="")
            context = multiprocessing.get_context("spawn")
            queue = context.Queue()
            process = context.Process(target=child, args=(queue,))
            process.start()
            print(queue.get())
            process.join()
        """
    )
    assert output == "kecoa.extras\nkecoa\n"


def test_argv_path_and_main(run, tmp_path):
    (tmp_path / "beside.py").write_text("WORD = 'beside'\n")
    output = run(
        """
        import sys, beside
        print(sys.argv[1:], __name__, beside.WORD, sys.path[0] == __file__.rpartition("/")[0])
        """,
        "-x",
        "--help",
        "a b",
    )
    assert output == "['-x', '--help', 'a b'] __main__ beside True\n"


def test_the_exit_status_is_the_programs(run):
    assert run("raise SystemExit(7)", check=False).returncode == 7
    failed = run("1 / 0", check=False)
    assert failed.returncode == 1
    assert "ZeroDivisionError" in failed.stderr


def test_a_module(tmp_path, dsn):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__main__.py").write_text(
        "import sys, psycopg2; print(psycopg2.__version__.split()[-2:-1], sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "kecoa", "run", "-m", "package", "x"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "DATABASE_URL": dsn},
    )
    assert done.stdout == "['kecoa'] ['x']\n", done.stderr


def test_another_sitecustomize_runs_too(run, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import os; os.environ['OTHER'] = __name__\n")
    output = run(
        """
        import subprocess, sys
        code = "import os, psycopg2; print(os.environ['OTHER'], 'kecoa' in psycopg2.__version__)"
        print(subprocess.check_output([sys.executable, "-c", code], text=True), end="")
        """,
        environment={"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])},
    )
    assert output == "sitecustomize True\n"


def test_a_module_that_kecoa_has_not(run):
    failed = run("import psycopg2.no_such_module", check=False)
    assert "no counterpart of psycopg2.no_such_module" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "expected a program"),
        (["-m"], "expected a module"),
        (["/no/such/file.py"], "no such file"),
        (["-z"], "unknown option"),
    ],
)
def test_mistakes(arguments, complaint):
    done = subprocess.run(
        [sys.executable, "-m", "kecoa", "run", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert complaint in done.stderr


def test_the_real_psycopg2_is_not_mixed_in():
    code = "import psycopg2\nfrom kecoa.run import install_as_psycopg2\ninstall_as_psycopg2()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "expected psycopg2 not to be imported yet" in done.stderr


def test_a_sitecustomize_without_kecoa_leaves_python_alone(tmp_path):
    alias = os.path.join(os.path.dirname(kecoa.__file__), "_alias")
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {alias!r}); import sitecustomize; print('fine')",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout == "fine\n", done.stderr
