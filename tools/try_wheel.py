#!/usr/bin/env python3
"""Install a wheel or a source distribution as a user would, and use it: import, connect, command line.

usage: try_wheel.py [--importtime N] [--without-endpoint] FILE

Everything happens in a temporary folder whose name has a blank and a letter outside of ASCII, with no git on
PATH: a new virtual environment, an endpoint of its own, a transfer. Prints the size, and how long
`import kecoa` takes beside `import psycopg2`. --without-endpoint is for musl, for which PostgreSQL's programs
are not built: the client then meets a port that nobody listens on.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRANSFER = """
import sys
import kecoa
from kecoa import _kecoa

assert kecoa.__file__.startswith(sys.prefix), kecoa.__file__
conn = kecoa.connect(sys.argv[1])
with conn, conn.cursor() as cur:
    cur.execute("CREATE TABLE savings (id INT PRIMARY KEY, balance INT)")
    cur.execute("UPSERT INTO savings VALUES (1, 1000), (2, 250)")

def transfer(conn):
    with conn.cursor() as cur:
        cur.execute("UPDATE savings SET balance = balance - %s WHERE id = %s", (100, 1))
        cur.execute("UPDATE savings SET balance = balance + %s WHERE id = %s", (100, 2))
        cur.execute("SELECT balance FROM savings ORDER BY id")
        return cur.fetchall()

print(kecoa.run_transaction(conn, transfer))
"""

NOBODY = """
import socket
import sys
import kecoa

assert kecoa.__file__.startswith(sys.prefix), kecoa.__file__
with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
try:
    kecoa.connect(host="127.0.0.1", port=port, dbname="bank")
except kecoa.OperationalError as error:
    print(kecoa.extensions.adapt("it's").getquoted().decode(), "refused" in str(error))
"""


class Environment:
    """A new virtual environment in `folder`, and an environment in which nothing of this one is found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        self.variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "KECOA", "PIP_", "VIRTUAL_ENV", "PG", "DATABASE_URL"))
        }
        self.variables["PATH"] = os.pathsep.join([str(self.bin), *programs_without_git(folder)])
        self.variables["KECOA_HOME"] = str(folder / "home")
        self.run(sys.executable, "-m", "venv", folder / "venv")

    def run(self, *command: object) -> str:
        """Run a command in the folder; return what it prints."""
        return self.completed(*command).stdout

    def completed(self, *command: object) -> subprocess.CompletedProcess[str]:
        arguments = [str(part) for part in command]
        done = subprocess.run(
            arguments, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done

    def install(self, *what: object) -> None:
        self.run(self.bin / "python", "-m", "pip", "--disable-pip-version-check", "-q", "install", *what)

    def import_milliseconds(self, module: str, times: int) -> list[float]:
        """Return how long several imports take, what it imports itself included."""
        command = (self.bin / "python", "-I", "-X", "importtime", "-c", f"import {module}")
        line = re.compile(rf"\|\s*(\d+) \| {module}$", re.MULTILINE)
        found = [line.search(self.completed(*command).stderr) for _ in range(times)]
        return [int(match[1]) / 1000 for match in found if match]


def programs_without_git(folder: Path) -> list[str]:
    """Return PATH without git: where a folder has it, another folder takes its place that has the rest."""
    result = []
    for number, name in enumerate(os.environ["PATH"].split(os.pathsep)):
        if not (Path(name) / "git").exists():
            result.append(name)
            continue
        replacement = folder / f"bin{number}"
        replacement.mkdir()
        for program in Path(name).iterdir():
            if not program.name.startswith("git"):
                (replacement / program.name).symlink_to(program)
        result.append(str(replacement))
    return result


def try_out(file: Path, folder: Path, times: int, with_endpoint: bool) -> None:
    environment = Environment(folder)
    assert shutil.which("git", path=environment.variables["PATH"]) is None
    environment.install(f"{file}[local]" if with_endpoint else file)
    print(environment.run(environment.bin / "kecoa", "--version").strip())
    if with_endpoint:
        transfer(environment)
    else:
        expect("'it''s' True", environment.run(environment.bin / "python", "-I", "-c", NOBODY))
    environment.install("psycopg2-binary", "--constraint", ROOT / "requirements-dev.txt")
    for module in ("kecoa", "psycopg2"):
        taken = environment.import_milliseconds(module, times)
        median, best = statistics.median(taken), min(taken)
        print(f"import {module}: {median:.1f} ms at the median of {times}, {best:.1f} ms at best")


def transfer(environment: Environment) -> None:
    """Start an endpoint, move money on it, stop it."""
    kecoa = environment.bin / "kecoa"
    url = environment.run(kecoa, "local", "start").strip().splitlines()[-1]
    try:
        expect("[(900,), (350,)]", environment.run(environment.bin / "python", "-I", "-c", TRANSFER, url))
    finally:
        environment.run(kecoa, "local", "stop")


def expect(what: str, printed: str) -> None:
    if printed.strip() != what:
        raise SystemExit(f"expected {what}, found {printed.strip()}")
    print(f"printed, as expected: {what}")


def sizes(file: Path) -> None:
    print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB")
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            unpacked = sum(entry.file_size for entry in wheel.infolist())
            library = sum(entry.file_size for entry in wheel.infolist() if entry.filename.endswith(".so"))
        print(f"unpacked: {unpacked / 1e6:.2f} MB, of which the extension module {library / 1e6:.2f} MB")


def main() -> int:
    parser = argparse.ArgumentParser(description="Install a wheel or a source distribution, and use it.")
    parser.add_argument(
        "--importtime", type=int, default=20, metavar="N", help="imports to time (default: 20)"
    )
    parser.add_argument(
        "--without-endpoint", action="store_true", help="where PostgreSQL's programs are not built"
    )
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    sizes(arguments.file)
    with tempfile.TemporaryDirectory(prefix="kecoa tried élsewhere ") as folder:
        try_out(arguments.file.resolve(), Path(folder), arguments.importtime, not arguments.without_endpoint)
    return 0


if __name__ == "__main__":
    sys.exit(main())
