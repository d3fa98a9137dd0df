"""What kecoa logs through Python's `logging`. Imported only where somebody has imported `logging` already.

`kecoa.retry`: each failed attempt at a transaction (INFO), giving up (WARNING), an unknown outcome of COMMIT
(ERROR). `kecoa.connection`: connections that were opened (DEBUG), could not be opened or were lost (WARNING).
`kecoa.local` and `kecoa.mongo`: what the local endpoint and the MongoDB gateway are asked for (DEBUG), and
what they remark, such as another port than usual (WARNING).
Nothing is formatted for a level that is off, and no password is ever in a record.
"""

from __future__ import annotations

import logging
from typing import Any

logging.getLogger("kecoa").addHandler(logging.NullHandler())
_RETRY = logging.getLogger("kecoa.retry")
_CONNECTION = logging.getLogger("kecoa.connection")


def decided(
    number: int, most: int, error: BaseException | None, why: str | None, decision: str, wait: float
) -> None:
    """Log what was decided about the attempt with this number; `why` is a SQLSTATE or None."""
    if error is None:
        return
    what = why or type(error).__name__
    if decision in ("retry", "reconnect"):
        where = "" if decision == "retry" else " for a fresh connection"
        _RETRY.info(
            "attempt %d of %d failed with %s, waiting %.0f ms%s", number, most, what, wait * 1000, where
        )
    elif decision == "ambiguous":
        _RETRY.error("attempt %d of %d: the outcome of COMMIT is unknown (%s)", number, most, what)
    elif number > 1:
        _RETRY.warning("attempt %d of %d failed with %s, giving up", number, most, what)


def opened(conn: Any) -> None:
    """Log a connection that was opened."""
    if _CONNECTION.isEnabledFor(logging.DEBUG):
        info = conn.info
        _CONNECTION.debug(
            "opened: %s at %s:%s as %s, process %s",
            info.dbname,
            info.host,
            info.port,
            info.user,
            info.backend_pid,
        )


def failed(error: BaseException) -> None:
    """Log a connection that could not be opened."""
    if _CONNECTION.isEnabledFor(logging.WARNING):
        lines = str(error).splitlines() or [type(error).__name__]
        _CONNECTION.warning("not opened: %s", lines[0])


def lost(what: str, sqlstate: str | None) -> None:
    """Log a connection that was lost; called by the extension."""
    # A server's error has the code in its text; of a longer one, the first line may lack it.
    code = f" (SQLSTATE {sqlstate})" if sqlstate and sqlstate not in what else ""
    _CONNECTION.warning("lost: %s%s", what, code)


def service(name: str, arguments: tuple[str, ...]) -> None:
    """Log what a process in the background was asked for."""
    logging.getLogger(f"kecoa.{name}").debug("kecoa %s %s", name, " ".join(arguments))


def remarks(name: str, text: str) -> None:
    """Log what a process in the background has to say, a record a line."""
    for line in text.splitlines():
        logging.getLogger(f"kecoa.{name}").warning("%s", line.removeprefix("kecoa: "))
