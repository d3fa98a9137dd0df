"""Standard streams that are closed: nothing else may get their numbers."""

from __future__ import annotations

import os


def reserve(output: int = os.O_RDWR) -> None:
    """Open /dev/null in place of each standard stream that is closed; `output`: the flags of standard output.

    The system gives the lowest free number to what is opened next: without this that is a connection's
    socket, and what is printed would go to the server. Python itself leaves the numbers free. Programs that
    are started inherit what was opened.
    """
    for number, flags in enumerate((os.O_RDWR, output, os.O_RDWR)):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is this one.
            os.set_inheritable(os.open(os.devnull, flags), True)
