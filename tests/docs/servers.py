"""What a page finds when its blocks run: an empty database, an empty folder, the programs of this environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import kecoa
from tests.docs.blocks import Page
from tests.gateways import Gateway

ROOT = Path(__file__).resolve().parent.parent.parent
DATABASE = "bank"


def _as_url(dsn: str) -> str:
    """Return a URL for connection string that may be one already."""
    if "://" in dsn:
        return dsn
    facts = kecoa.extensions.parse_dsn(dsn)
    host = f"host={quote(facts['host'], safe='')}&port={facts['port']}"
    return f"postgresql://{quote(facts['user'])}@/{facts['dbname']}?{host}"


def empty_database(dsn: str) -> str:
    """Make the database anew; return its URL."""
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    try:
        conn.cursor().execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        conn.cursor().execute(f"CREATE DATABASE {DATABASE}")
    finally:
        conn.close()
    return urlsplit(_as_url(dsn))._replace(path=f"/{DATABASE}").geturl()


@contextmanager
def environment(page: Page, dsn: str, endpoint_url: str, endpoint_home: Path) -> Iterator[dict[str, str]]:
    """Give the environment variables that the page's blocks see, with a HOME that is the page's own."""
    kept = (
        "PATH",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "KECOA_POSTGRES",
        "KECOA_EMBEDDED_POSTGRES",
        "LD_LIBRARY_PATH",
    )
    variables = {name: os.environ[name] for name in kept if name in os.environ}
    variables["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{variables.get('PATH', os.defpath)}"
    variables |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "TZ": "UTC"}
    with tempfile.TemporaryDirectory(prefix="kecoa-docs-") as home:
        # Where PostgreSQL's user can't get in, root's data would be elsewhere, and stay there afterwards.
        Path(home).chmod(0o755)
        variables["HOME"] = home
        if page.server == "own endpoint":
            variables["KECOA_HOME"] = f"{home}/kecoa"
            try:
                yield variables
            finally:
                stop_everything(variables)
            return
        variables["KECOA_HOME"] = str(endpoint_home)
        url = empty_database(dsn if page.server == "postgresql" else endpoint_url)
        variables["DATABASE_URL"] = url
        if page.server != "gateway":
            yield variables
            return
        with Gateway(url, Path(home) / "gateway") as gateway:
            variables["MONGODB_URL"] = gateway.url
            yield variables


def stop_everything(variables: dict[str, str]) -> None:
    """Stop each endpoint of the home and its gateway: a page may have begun some for its folder."""

    def command(*arguments: str) -> str:
        line = [sys.executable, "-m", "kecoa", *arguments]
        done = subprocess.run(line, env=variables, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout

    command("mongo", "stop")
    for instance in json.loads(command("local", "list", "--json"))["instances"]:
        command("mongo", "stop", "--name", instance["name"])
        command("local", "stop", "--name", instance["name"])


def run(
    page: Page, variables: dict[str, str], folder: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run a page's blocks in a process of their own. What they leave running in the background ends with it."""
    command = [sys.executable, "-m", "tests.docs.running", *options, str(page.path)]
    # Files, not pipes: what the page leaves running would hold pipes open.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(
            command,
            env=variables,
            cwd=folder,
            stdout=out,
            stderr=err,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=600)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())
