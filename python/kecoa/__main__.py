"""The command line: `kecoa`, or `python -m kecoa`."""

from __future__ import annotations

import os
import signal
import sys

from kecoa import _standard_streams

# Exit statuses of commands that a signal ended.
_ENDED_BY = {128 + number: number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}


def main() -> int:
    """Run the command line with sys.argv; return the exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] != ["run"]:
        # One that cannot be written tells the command that its results have nowhere to go.
        _standard_streams.reserve(os.O_RDONLY)
    if arguments[:1] != ["run"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Ctrl-C ends a command, or the command handles it: Python must not wait for it to come back. Where it
        # is ignored, as in the background of a script, it stays so.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from kecoa import _environment, _kecoa

    _environment.describe_this_python()
    if arguments[:1] == ["run"]:
        # A Python program is best run by the Python that is already here.
        from kecoa import run

        return run.main(arguments[1:])
    status = _kecoa.main(arguments, _environment.SELF_COMMAND)
    if status in _ENDED_BY:
        # Whoever waits for this process learns what ended it, and a shell ends its loop, too.
        signal.signal(_ENDED_BY[status], signal.SIG_DFL)
        signal.raise_signal(_ENDED_BY[status])
    return status


if __name__ == "__main__":
    sys.exit(main())
