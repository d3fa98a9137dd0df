"""Gateways for the suite: each with a database of its own, so that modules can run beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tests.gateways import Gateway, GatewayError
from tests.suites import SuiteError

USER, PASSWORD = "suite", "a password: with/signs@in it"


def make_database(dsn: str, name: str) -> str:
    """Make the database `name` anew, as the superuser of `dsn`; return the connection string for it."""
    import psycopg2
    from psycopg2.extensions import make_dsn

    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    conn.cursor().execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    conn.cursor().execute(f'CREATE DATABASE "{name}"')
    conn.close()
    return str(make_dsn(dsn, dbname=name))


def start(database: str, home: Path, environment: Mapping[str, str], *, authentication: bool) -> Gateway:
    """Serve the documents in `database` as a replica set of one, with test commands."""
    arguments = ["--replica-set", "kecoa", "--test-commands"]
    if authentication:
        home.mkdir()
        (home / "secret").write_text(PASSWORD)
        (home / "secret").chmod(0o600)
        arguments += ["--user", USER, "--password-file", str(home / "secret")]
    else:
        arguments.append("--no-password")
    try:
        return Gateway(database, home, arguments, environment)
    except GatewayError as error:
        raise SuiteError(str(error)) from None


def variables(gateway: Gateway, *, authentication: bool) -> dict[str, str]:
    """What tells the suite where a gateway is."""
    url = urlsplit(gateway.url)
    found = {"DB_IP": str(url.hostname), "DB_PORT": str(url.port)}
    return found | ({"DB_USER": USER, "DB_PASSWORD": PASSWORD} if authentication else {})


def clean(environment: Mapping[str, str]) -> None:
    """Drop the databases that a module has left behind; `environment` as of `variables`."""
    import pymongo

    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
        environment["DB_IP"],
        int(environment["DB_PORT"]),
        username=environment.get("DB_USER"),
        password=environment.get("DB_PASSWORD"),
    )
    with client:
        for name in client.list_database_names():
            if name not in ("admin", "config", "local"):
                client.drop_database(name)
