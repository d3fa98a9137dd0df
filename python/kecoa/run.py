"""Run a program that is written for psycopg2, unmodified, on kecoa.

`import psycopg2` is answered by kecoa in the program and in every Python that it starts. Without
DATABASE_URL the program gets that of the local endpoint, which is started.

A file, a folder with a `__main__.py` and `-m module` run in this Python. `-c code`, `-` (standard input) and
a command from PATH take the place of this process.
"""

from __future__ import annotations

import errno
import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from traceback import walk_tb
from types import TracebackType

from kecoa import _standard_streams
from kecoa._alias import install_as_psycopg2

__all__ = ["install_as_psycopg2", "main"]

_USAGE = """usage: kecoa run [--] PROGRAM [ARGUMENT ...]
       kecoa run -m MODULE [ARGUMENT ...]
       kecoa run -c CODE [ARGUMENT ...]
       kecoa run - [ARGUMENT ...]
`kecoa run --help` says more"""

# What an interpreter answers with 0 to if it has kecoa; the package is not imported.
_PROBE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('kecoa') is None)"
_PYTHON = re.compile(r"python[0-9.]*")
# What stands between this module and a program in a traceback.
_STARTERS = ("runpy", "importlib._bootstrap", "importlib._bootstrap_external", "importlib.util", "pkgutil")
# A command that is not there, and one that cannot be run, as in a shell.
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126


def main(argv: list[str] | None = None) -> int:
    """Run the program that `argv` names.

    Returns 2 for a usage error or an empty DATABASE_URL, 126 for a command that cannot run, 127 for one that
    is not there, or 0.
    The program's own exit status and exceptions are left to the interpreter, as when it is run by itself.
    """
    _standard_streams.reserve()
    arguments = _without_global_options(list(sys.argv[1:] if argv is None else argv))
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help"):
        from kecoa import _environment, _kecoa

        return _kecoa.main(["run", "--help"], _environment.SELF_COMMAND)
    if not os.environ.get("DATABASE_URL", "unset").strip():
        # As in a deployment with a mistake in it: another database is not what was meant.
        return _complain("DATABASE_URL is set, and empty: set it to a URL, or unset it to have none", 2)
    if first in ("-m", "-c"):
        if len(arguments) == 1:
            return _usage(f"expected {'a module' if first == '-m' else 'code'} after {first}")
        set_up_environment()
        if first == "-m":
            sys.excepthook = _print_exception
            run_module(arguments[1:])
            return 0
        return _become(sys.executable, [sys.executable, *arguments])
    if first == "-":
        set_up_environment()
        return _become(sys.executable, [sys.executable, *arguments])
    if first == "--":
        arguments.pop(0)
    elif first.startswith("-"):
        return _usage(f"unknown option {first!r}")
    if not arguments:
        return _usage("expected a program")
    program = Path(arguments[0])
    if (program / "__main__.py").is_file() or (program.is_file() and _is_python(program)):
        set_up_environment()
        sys.excepthook = _print_exception
        run_path(arguments)
        return 0
    return run_command(arguments)


def _without_global_options(arguments: list[str]) -> list[str]:
    """Leave out the options that every command takes, in front of the program: they change nothing here."""
    at = 0
    while at < len(arguments):
        argument = arguments[at]
        name, equals, value = argument.partition("=")
        if name == "--color":
            if not equals:
                value = arguments[at + 1] if at + 1 < len(arguments) else ""
            if value not in ("auto", "always", "never"):
                break
            at += 1 if equals else 2
        elif argument in ("--quiet", "--verbose", "--json") or re.fullmatch("-q+|-v+", argument):
            at += 1
        else:
            break
    return arguments[at:]


def set_up_environment() -> None:
    """Answer psycopg2 here and in child Pythons, and set DATABASE_URL where it is not set."""
    install_as_psycopg2()
    alias = str(Path(__file__).resolve().parent / "_alias")
    paths = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if alias not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([alias, *paths])
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = _start_endpoint()


def _start_endpoint() -> str:
    """Start the local endpoint; Ctrl-C meanwhile ends the command, as it ends any other."""
    from kecoa import local

    try:
        return local.start()
    except KeyboardInterrupt:
        # Nothing of the program has run. Whoever waits for this process learns that it was a signal.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
        raise


def run_path(arguments: list[str]) -> None:
    """Run a file, as `python file argument ...` does."""
    program = Path(arguments[0])
    sys.argv[:] = arguments
    if not program.is_dir():
        # A folder with a __main__.py is put on the path by runpy itself.
        sys.path[0] = str(program.resolve().parent)
    # Absolute, as __file__ is: a program may change its folder.
    runpy.run_path(str(program.absolute()), run_name="__main__")


def run_module(arguments: list[str]) -> None:
    """Run a module, as `python -m module argument ...` does."""
    sys.argv[:] = arguments
    # As for python -m, modules of the current folder come first.
    sys.path[0] = str(Path.cwd())
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def _print_exception(
    kind: type[BaseException], value: BaseException, traceback: TracebackType | None
) -> None:
    """Print what ended the program as Python does that runs it by itself: from its own frames on."""
    own = None
    for frame, _ in walk_tb(traceback):
        if frame.f_code.co_filename == __file__:
            own = frame
    while traceback is not None and own is not None:
        if traceback.tb_frame is own:
            own = None
        traceback = traceback.tb_next
    while traceback is not None and traceback.tb_frame.f_globals.get("__name__") in _STARTERS:
        traceback = traceback.tb_next
    if traceback is None and isinstance(value, ImportError):
        print(f"{sys.executable}: {value}", file=sys.stderr)  # noqa: T201
        return
    sys.__excepthook__(kind, value.with_traceback(traceback), traceback)


def run_command(arguments: list[str]) -> int:
    """Run a command, such as `gunicorn`: one installed with this Python, or else the first on PATH."""
    name = arguments[0]
    if Path(name).is_dir():
        return _complain(f"can't run {name!r}: a folder without a __main__.py", _NOT_EXECUTABLE)
    if os.sep in name and not Path(name).exists():
        return _complain(f"can't open {name!r}: no such file", _NOT_FOUND)
    command = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if command is None:
        return _complain(
            f"found neither a file nor a command {name!r}; "
            f"is the package that brings it installed for {sys.executable}?",
            _NOT_FOUND,
        )
    interpreter = _interpreter(Path(command))
    if interpreter is not None and not _has_kecoa(interpreter):
        python = shlex.join(interpreter)
        return _complain(
            f"{command} runs on {python}, which has no package kecoa: its psycopg2 would be another one; "
            f"install kecoa there with `{python} -m pip install kecoa`",
            _NOT_EXECUTABLE,
        )
    set_up_environment()
    return _become(command, arguments)


def _is_python(file: Path) -> bool:
    """Return False for a program that says it is no Python: a binary, or a script of another language."""
    if not os.access(file, os.X_OK):
        return True
    if _PYTHON.fullmatch(file.name):
        return False
    with file.open("rb") as opened:
        start = opened.read(4)
    return not (start == b"\x7fELF" or (start[:2] == b"#!" and _interpreter(file) is None))


def _interpreter(script: Path) -> list[str] | None:
    """Return the command of the Python that runs `script`, or that it is; None for any other program."""
    if _PYTHON.fullmatch(script.name):
        return [str(script)]
    with script.open("rb") as file:
        line = file.readline(1024)
        if line.strip() == b"#!/bin/sh":
            # What pip writes where the interpreter's path has a blank or is long:
            # `'''exec' '/path/python' "$0" "$@"`.
            line = file.readline(4096).replace(b"'''exec'", b"#!", 1)
    if not line.startswith(b"#!"):
        return None
    try:
        words = [word for word in shlex.split(os.fsdecode(line[2:])) if word not in ("$0", "$@")]
    except ValueError:
        return None
    if not any(Path(word).name.startswith("python") for word in words):
        return None
    return words


def _has_kecoa(interpreter: list[str]) -> bool:
    """Return True if that Python finds kecoa, or is none that can be asked."""
    if interpreter[-1] == sys.executable:
        return True
    try:
        done = subprocess.run([*interpreter, "-c", _PROBE], stdin=subprocess.DEVNULL, check=False)
    except OSError:
        # The system says what is wrong when the command is run.
        return True
    return done.returncode == 0


def _become(program: str, arguments: list[str]) -> int:
    """Let another program take this process; return only if that fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(program, arguments)  # noqa: S606  (no shell is wanted)
    except OSError as error:
        reason = "not a program of this system" if error.errno == errno.ENOEXEC else error.strerror
        return _complain(f"can't run {program!r}: {reason}", _NOT_EXECUTABLE)


def _usage(complaint: str) -> int:
    return _complain(f"{complaint}\n\n{_USAGE}", 2)


def _complain(complaint: str, status: int) -> int:
    print(f"kecoa run: {complaint}", file=sys.stderr)  # noqa: T201
    return status


if __name__ == "__main__":
    sys.exit(main())
