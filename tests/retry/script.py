"""Connections that follow a script, and a clock of virtual time."""

from __future__ import annotations

from typing import Any

IDLE, INTRANS, INERROR = 0, 2, 3


class DriverError(Exception):
    """An error as another driver's: it has a pgcode, and nothing else is known."""

    def __init__(self, pgcode: str | None, message: str = "scripted") -> None:
        super().__init__(message)
        self.pgcode = pgcode


class OperationalError(DriverError):
    pass


class Clock:
    """Virtual time: sleeping takes none of ours."""

    def __init__(self, chance: float = 0.5) -> None:
        self.time = 100.0
        self.slept: list[float] = []
        self.chance = chance

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def random(self) -> float:
        return self.chance


class Conn:
    """A connection that follows a script: for each statement and COMMIT an error or None."""

    def __init__(self, *script: Any, log: list[str] | None = None) -> None:
        self.script = list(script)
        self.log = [] if log is None else log
        self.closed = 0
        self.autocommit = False
        self.isolation_level: Any = None
        self.readonly: Any = None
        self.deferrable: Any = None
        self.transaction = IDLE

    def _step(self, what: str) -> None:
        self.log.append(what)
        if not self.script:
            return
        outcome = self.script.pop(0)
        if outcome is None:
            return
        if outcome == "lost":
            self.closed = 2
            self.transaction = IDLE
            raise OperationalError(None, "server closed the connection unexpectedly")
        if self.transaction == INTRANS:
            self.transaction = INERROR
        raise DriverError(outcome) if isinstance(outcome, str) else outcome

    def execute(self) -> None:
        if self.transaction == IDLE and not self.autocommit:
            self.transaction = INTRANS
        self._step("statement")

    def commit(self) -> None:
        try:
            self._step("commit")
        finally:
            self.transaction = IDLE

    def rollback(self) -> None:
        self.log.append("rollback")
        if self.closed:
            raise OperationalError(None, "connection already closed")
        self.transaction = IDLE

    def close(self) -> None:
        self.log.append("close")
        self.closed = self.closed or 1

    def cursor(self) -> Any:
        raise AssertionError("the scripts use execute()")

    def get_transaction_status(self) -> int:
        return self.transaction

    def set_session(self, **settings: Any) -> None:
        assert self.transaction == IDLE
        for name, value in settings.items():
            setattr(self, name, value)


class Pool:
    """Hands out its connections one after the other, and keeps those that came back."""

    def __init__(self, *conns: Conn) -> None:
        self.conns = list(conns)
        self.back: list[Conn] = []

    def getconn(self) -> Conn:
        return self.conns.pop(0)

    def putconn(self, conn: Conn) -> None:
        self.back.append(conn)


def body(conn: Any) -> str:
    conn.execute()
    return "done"
