"""Acting as other users of the machine, which root can."""

from __future__ import annotations

import os
import pwd
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT, Endpoint
from tests.reasons import skip

# A Python below /root is closed to others; these rights over files are all that a program needs beyond its user's.
GRANTED = ["--inh-caps", "+dac_override,+dac_read_search", "--ambient-caps", "+dac_override,+dac_read_search"]


class Done(NamedTuple):
    """How a program ended, and what it said."""

    code: int
    output: str


def another_user(*taken: str | None) -> str:
    """Return an ordinary user that is none of these; skip the test where there is none."""
    if os.geteuid() == 0:
        for name in ("games", "man", "daemon", "mail"):
            try:
                if name not in taken and pwd.getpwnam(name):
                    return name
            except KeyError:
                pass
    skip("not-root")
    raise AssertionError


def run_as(user: str | None, command: list[str]) -> Done:
    """Run one of the system's programs as a user, with none of root's groups."""
    identity = {}
    if user:
        entry = pwd.getpwnam(user)
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    done = subprocess.run(
        command,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
        **identity,
    )
    return Done(done.returncode, done.stdout)


def call_as(user: str | None, function: Callable[[], None]) -> Done:
    """Call a function in a child process that has become a user; its files need not be open to them."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            sys.stdout = sys.stderr = os.fdopen(1, "w", closefd=False)
            if user:
                entry = pwd.getpwnam(user)
                os.setgroups([])
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)
            os.chdir("/")
            function()
            code = 0
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as stream:
        output = stream.read()
    return Done(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), output)


def kecoa_as(user: str, environment: Mapping[str, str], *arguments: str) -> Done:
    """Run `kecoa ...` as a user who need not be able to read Python's files."""
    import kecoa._kecoa  # noqa: F401

    def main() -> None:
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["kecoa", *arguments]
        runpy.run_module("kecoa", run_name="__main__")

    return call_as(user, main)


class EndpointOf(Endpoint):
    """An endpoint that an ordinary user starts; where `user` is None, whoever runs the tests."""

    def __init__(self, home: Path, user: str | None) -> None:
        super().__init__(home)
        self.user = user
        self.prefix: list[str] = []
        if user:
            owner = pwd.getpwnam(user)
            os.chown(home, owner.pw_uid, owner.pw_gid)
            self.prefix = ["setpriv", "--reuid", user, "--regid", str(owner.pw_gid), "--clear-groups"]
            if run_as(user, ["test", "-x", os.path.realpath(sys.executable)]).code != 0:
                self.prefix += GRANTED
                if run_as(None, [*self.prefix, sys.executable, "-c", ""]).code != 0:
                    skip("closed-python")
        self.environment |= {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}

    def kecoa(
        self, *arguments: str, check: bool = True, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run `kecoa ...` as that user."""
        done = subprocess.run(
            [*self.prefix, sys.executable, "-m", "kecoa", *arguments],
            env=self.environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kecoa {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done
