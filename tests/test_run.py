"""`kecoa run`: psycopg2 is kecoa in the program and below it, and nothing else changes."""

from __future__ import annotations

import os
import shlex
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
        (["-c"], "expected code"),
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


@pytest.fixture
def run_command(tmp_path, dsn):
    """Runs `kecoa run` with arguments, in a folder of its own that is on PATH."""
    commands = tmp_path / "commands of mine"
    commands.mkdir()

    def runner(*arguments, stdin=None):
        return subprocess.run(
            [sys.executable, "-m", "kecoa", "run", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            input=stdin,
            env={**os.environ, "DATABASE_URL": dsn, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"},
        )

    return runner


def command(tmp_path, name, text):
    path = tmp_path / "commands of mine" / name
    path.write_text(text)
    path.chmod(0o755)


def first_lines(interpreter):
    """The first lines of a command that pip installs for an interpreter."""
    if " " not in str(interpreter):
        return f"#!{interpreter}\n"
    return f"#!/bin/sh\n'''exec' \"{interpreter}\" \"$0\" \"$@\"\n' '''\n"


SAYS_WHOSE = "import sys, psycopg2; print('kecoa' in psycopg2.__version__, sys.argv[1:])"


def test_a_command_from_path(run_command, tmp_path):
    command(tmp_path, "serve", f"{first_lines(sys.executable)}{SAYS_WHOSE}\n")
    done = run_command("serve", "-b", "a b", "--help")
    assert (done.stdout, done.returncode) == ("True ['-b', 'a b', '--help']\n", 0), done.stderr


def test_a_command_whose_interpreter_has_a_blank_in_its_path(run_command, tmp_path):
    interpreter = tmp_path / "commands of mine" / "python of mine"
    interpreter.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    interpreter.chmod(0o755)
    command(tmp_path, "serve", f"{first_lines(interpreter)}{SAYS_WHOSE}\n")
    done = run_command("serve", "x")
    assert (done.stdout, done.returncode) == ("True ['x']\n", 0), done.stderr


def test_a_command_that_is_no_python_starts_pythons_that_are_answered(run_command, tmp_path):
    command(tmp_path, "serve", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{SAYS_WHOSE}" "$@"\n')
    for name in ("serve", "commands of mine/serve"):
        done = run_command(name, "x")
        assert (done.stdout, done.returncode) == ("True ['x']\n", 0), done.stderr


def test_the_exit_status_is_the_commands(run_command, tmp_path):
    command(tmp_path, "fail", "#!/bin/sh\nexit 7\n")
    assert run_command("fail").returncode == 7


def test_a_command_whose_python_has_no_kecoa_is_refused(run_command, tmp_path):
    bare = tmp_path / "commands of mine" / "python3"
    bare.write_text("#!/bin/sh\nexit 1\n")
    bare.chmod(0o755)
    command(tmp_path, "serve", "#!/usr/bin/env python3\nprint('ran')\n")
    done = run_command("serve")
    assert (done.stdout, done.returncode) == ("", 126)
    itself = run_command("commands of mine/python3", "-c", "print('ran')")
    assert (itself.stdout, itself.returncode) == ("", 126)
    assert "runs on /usr/bin/env python3, which has no package kecoa" in done.stderr


def test_a_command_that_is_not_there(run_command, tmp_path):
    done = run_command("no-such-command")
    assert done.returncode == 127
    assert "neither a file nor a command 'no-such-command'" in done.stderr
    done = run_command("./no-such-program.py")
    assert done.returncode == 127
    assert "no such file" in done.stderr
    (tmp_path / "folder").mkdir()
    for folder in ("./folder", "folder", "."):
        done = run_command(folder)
        assert done.returncode == 126
        assert "without a __main__.py" in done.stderr


def test_a_python_of_that_name_runs_code(run_command):
    done = run_command(sys.executable, "-c", SAYS_WHOSE, "x")
    assert (done.stdout, done.returncode) == ("True ['x']\n", 0), done.stderr


def test_a_program_finds_itself_wherever_it_goes(run_command, tmp_path):
    (tmp_path / "goes.py").write_text("import os\nos.chdir('/')\nprint(open(__file__).readline())\n")
    assert run_command("goes.py").stdout == "import os\n\n"


def test_a_file_goes_before_a_command_of_its_name(run_command, tmp_path):
    command(tmp_path, "serve", "#!/bin/sh\necho command\n")
    (tmp_path / "serve").write_text("print('file')\n")
    assert run_command("serve").stdout == "file\n"


def test_code_and_standard_input(run_command):
    done = run_command("-c", SAYS_WHOSE, "-x")
    assert done.stdout == "True ['-x']\n", done.stderr
    done = run_command("-", "-x", stdin=SAYS_WHOSE)
    assert done.stdout == "True ['-x']\n", done.stderr
    assert run_command("-c", "raise SystemExit(3)").returncode == 3


def test_help_is_the_same_however_it_is_asked_for(run_command):
    asked = [run_command("--help"), run_command("-h")]
    asked.append(
        subprocess.run(
            [sys.executable, "-m", "kecoa.run", "--help"], capture_output=True, text=True, check=False
        )
    )
    for done in asked:
        assert done.returncode == 0
        assert "Usage: kecoa run" in done.stdout
        assert "DATABASE_URL" in done.stdout
    # Lines are as long as COLUMNS says, which is not the same in both.
    assert asked[0].stdout.split() == asked[2].stdout.split()


@pytest.mark.parametrize(
    "options",
    [("-q",), ("--quiet", "--color", "never"), ("-vv",), ("--color=always", "--json")],
)
def test_options_of_every_command_stand_in_front_of_the_program(run, options):
    source = "import sys, psycopg2; print(psycopg2.connect.__module__, sys.argv[1:])"
    assert run(source, "-q", "--json", options=options) == "kecoa ['-q', '--json']\n"


def test_what_only_looks_like_such_an_option_is_refused(run):
    for options in (("--colour", "never"), ("--color", "sometimes"), ("-qx",)):
        assert run("", options=options, check=False).returncode == 2


@pytest.fixture
def both(tmp_path, dsn):
    """What the same arguments print on standard error, and end with: under `kecoa run`, and by Python itself."""

    def runner(*arguments):
        def ends(*command):
            done = subprocess.run(
                [sys.executable, *command, *arguments],
                capture_output=True,
                text=True,
                check=False,
                cwd=tmp_path,
                env={**os.environ, "DATABASE_URL": dsn, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
            )
            return done.returncode, done.stderr

        return ends("-m", "kecoa", "run"), ends()

    return runner


@pytest.mark.parametrize("name", ["nixmod", "nixmod.deeper", "json.nixmod", "email"])
def test_a_module_that_cannot_be_run(both, name):
    """In one line, as Python says it."""
    ours, pythons = both("-m", name)
    assert ours == pythons
    assert ours[1].count("\n") == 1


def test_what_is_no_python(both, tmp_path):
    (tmp_path / "words.txt").write_text("root:x:0:0:root:/root:/bin/bash\n")
    ours, pythons = both(str(tmp_path / "words.txt"))
    assert ours == pythons
    assert ours[1].endswith("SyntaxError: invalid syntax\n")


@pytest.mark.parametrize("start", [["program.py"], ["-m", "program"]], ids=" ".join)
def test_a_traceback_begins_with_the_program(both, tmp_path, start):
    (tmp_path / "program.py").write_text("def f():\n    raise ValueError('of the program')\n\nf()\n")
    ours, pythons = both(*start)
    assert ours[0] == pythons[0] == 1
    kept = [line for line in pythons[1].splitlines() if "runpy" not in line]
    assert ours[1].splitlines() == kept


def test_an_import_in_the_program_that_fails_is_no_missing_program(both, tmp_path):
    (tmp_path / "program.py").write_text("import nixmod\n")
    ours, pythons = both("program.py")
    assert ours == pythons
    assert "program.py" in ours[1]
