"""The examples of docs/en/reference/tls.md run, and the errors in its table are those that kecoa has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import kecoa
from tests.tls.authority import write
from tests.tls.certificates import HOST, Certificates
from tests.tls.server import TlsServer
from tests.tls.test_options import CASES

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs/en/reference/tls.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(
    example: str,
    tls_server: TlsServer,
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificates.serve(tls_server, "good")
    write(tmp_path / "ca.crt", certificates.root.pem)
    write(tmp_path / "ca.crl", certificates.root.revocation_list())
    write(tmp_path / "maya.crt", certificates.maya.pem)
    write(tmp_path / "maya.key", certificates.maya.key_pem(b"the key's password"), 0o600)
    monkeypatch.chdir(tmp_path)
    connect = kecoa.connect

    def here(dsn: str, **options: Any) -> Any:
        """The example's host is the test's server, its password the user's."""
        more = {
            "hostaddr": "127.0.0.1",
            "port": tls_server.port,
            "dbname": "postgres",
            "password": "jeruk-manis",
        }
        return connect(dsn, **{**options, **more})

    monkeypatch.setattr(kecoa, "connect", here)
    names: dict[str, Any] = {}
    exec(compile(example, "docs/en/reference/tls.md", "exec"), names)
    assert names["conn"].info.ssl_in_use
    assert names["conn"].info.host == HOST
    names["conn"].close()


def test_the_table_has_the_words_of_the_errors() -> None:
    table = TEXT.split("## Errors, and what to do")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.M)
    assert len(rows) >= 15
    sources = [*(ROOT / "crates/kecoa").rglob("*.rs"), *(ROOT / "crates/kecoa-proto").rglob("*.rs")]
    # A text that goes on in the next line of the source is one text.
    said = re.sub(r"\\\n\s*", "", "\n".join(path.read_text("utf-8") for path in sources)).replace('\\"', '"')
    said += "".join(word for case in CASES for word in case.says)
    for row in rows:
        for quoted in re.findall(r"`([^`]+)`", row):
            for part in re.split(r"…", quoted):
                words = part.strip(' "').removeprefix("certificate verify failed: ")
                assert words in said or not words, words
