"""What `logging` gets, where it is used."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

import kecoa
import kecoa.aio
import kecoa.observe
from kecoa import errors, run_transaction
from tests.observe.flaky import POLICY, Clock, Flaky


def test_what_is_logged(dsn, caplog):
    with caplog.at_level(logging.DEBUG, "kecoa"):
        conn = kecoa.connect(dsn)
        run_transaction(conn, Flaky(1), policy=POLICY, runtime=Clock())
        with pytest.raises(errors.SerializationFailure):
            run_transaction(conn, Flaky(3), policy=POLICY, runtime=Clock())
        with pytest.raises(kecoa.OperationalError), conn.cursor() as cur:
            cur.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        with pytest.raises(kecoa.OperationalError):
            kecoa.connect("host=127.0.0.1 port=1 user=u connect_timeout=5")
    found = [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
    assert found[0][:2] == ("kecoa.connection", "DEBUG")
    assert found[0][2].startswith("opened: ")
    assert [record for record in found if record[0] == "kecoa.retry"] == [
        ("kecoa.retry", "INFO", "attempt 1 of 3 failed with 40001, waiting 100 ms"),
        ("kecoa.retry", "INFO", "attempt 1 of 3 failed with 40001, waiting 100 ms"),
        ("kecoa.retry", "INFO", "attempt 2 of 3 failed with 40001, waiting 200 ms"),
        ("kecoa.retry", "WARNING", "attempt 3 of 3 failed with 40001, giving up"),
    ]
    lost = [text for name, level, text in found if (name, level) == ("kecoa.connection", "WARNING")]
    assert len(lost) == 2
    assert lost[0].startswith("lost: ")
    assert lost[0].count("57P01") == 1
    assert lost[1].startswith("not opened: ")
    assert "Connection refused" in lost[1]


def test_nothing_is_printed_without_a_handler_and_logging_is_not_imported():
    code = (
        "import sys, kecoa\ntry:\n kecoa.connect('host=127.0.0.1 port=1 user=u')\nexcept kecoa.Error: pass\n"
    )
    quiet = code + "assert 'logging' not in sys.modules and 'kecoa.observe' not in sys.modules"
    for program in (quiet, "import logging\n" + code):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
