"""The command line: `kecoa`, or `python -m kecoa`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line with sys.argv; return the exit status."""
    from kecoa import _environment, _kecoa

    _environment.describe_this_python()
    arguments = sys.argv[1:]
    if arguments[:1] == ["run"]:
        # A Python program is best run by the Python that is already here.
        from kecoa import run

        return run.main(arguments[1:])
    if arguments[:1] in (["sql"], ["workload"]):
        # Ctrl-C cancels a statement or ends a run there: Python must not raise KeyboardInterrupt later.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _kecoa.main(arguments, _environment.SELF_COMMAND)


if __name__ == "__main__":
    sys.exit(main())
