"""Run a program that is written for psycopg2, unmodified, on kecoa.

usage: kecoa run [--] program.py [argument ...]
       kecoa run -m module [argument ...]

`import psycopg2` is answered by kecoa in the program and in every Python that it starts. Without
DATABASE_URL the program gets that of the local endpoint, which is started.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

from kecoa._alias import install_as_psycopg2

__all__ = ["install_as_psycopg2", "main"]


def main(argv: list[str] | None = None) -> int:
    """Run the program that `argv` names; return the exit status of a usage error, or 0.

    The program's own exit status and exceptions are left to the interpreter, as when it is run by itself.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["-h"], ["--help"]):
        print((__doc__ or "").strip())  # noqa: T201
        return 0
    if arguments[:1] == ["--"]:
        arguments.pop(0)
        is_module = False
    else:
        is_module = arguments[:1] == ["-m"]
        if is_module:
            arguments.pop(0)
        elif arguments and arguments[0].startswith("-"):
            return _usage(f"unknown option {arguments[0]!r}")
    if not arguments:
        return _usage("expected a program" if not is_module else "expected a module after -m")
    if not is_module and not Path(arguments[0]).exists():
        return _usage(f"can't open {arguments[0]!r}: no such file")
    set_up_environment()
    if is_module:
        run_module(arguments)
    else:
        run_path(arguments)
    return 0


def set_up_environment() -> None:
    """Answer psycopg2 here and in child Pythons, and set DATABASE_URL where it is not set."""
    install_as_psycopg2()
    alias = str(Path(__file__).resolve().parent / "_alias")
    paths = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if alias not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([alias, *paths])
    if not os.environ.get("DATABASE_URL"):
        from kecoa import local

        os.environ["DATABASE_URL"] = local.start()


def run_path(arguments: list[str]) -> None:
    """Run a file, as `python file argument ...` does."""
    program = arguments[0]
    sys.argv[:] = arguments
    if not Path(program).is_dir():
        # A folder with a __main__.py is put on the path by runpy itself.
        sys.path[0] = str(Path(program).resolve().parent)
    runpy.run_path(program, run_name="__main__")


def run_module(arguments: list[str]) -> None:
    """Run a module, as `python -m module argument ...` does."""
    sys.argv[:] = arguments
    # As for python -m, modules of the current folder come first.
    sys.path[0] = str(Path.cwd())
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def _usage(complaint: str) -> int:
    print(f"kecoa run: {complaint}\n\n{(__doc__ or '').strip()}", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())
