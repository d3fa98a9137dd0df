"""One PostgreSQL with TLS, the certificates of the run, and an empty home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reasons import skip
from tests.tls.certificates import Certificates
from tests.tls.server import TlsServer, programs_with_tls
from tools.testserver import temporary_folder


@pytest.fixture(scope="package")
def tls_server() -> Iterator[TlsServer]:
    programs = programs_with_tls()
    if programs is None:
        skip("no-tls-postgres")
        return
    with temporary_folder() as folder, TlsServer(Path(folder), programs) as server:
        yield server


@pytest.fixture(scope="package")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither the variables nor the files of whoever runs the tests count."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home
