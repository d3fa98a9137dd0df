"""Code that uses the connection from inside of one of its statements. A process each: it might wait for ever."""

from __future__ import annotations

import subprocess
import sys

HANDLER = """
import importlib, signal, sys
driver = importlib.import_module(sys.argv[1])
conn = driver.connect(sys.argv[2])
cur = conn.cursor()
def handler(*_):
    try:
        conn.cursor().execute("SELECT 1")
        print("ran")
    except driver.ProgrammingError as refused:
        print("refused")
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
cur.execute("SELECT pg_sleep(1)")
print(len(cur.fetchall()), conn.closed)
"""

COPY = """
import importlib, sys
driver = importlib.import_module(sys.argv[1])
conn = driver.connect(sys.argv[2])
cur = conn.cursor()
cur.execute("CREATE TEMP TABLE within (a int)")
conn.commit()
class File:
    rest = ["1\\n", ""]
    def read(self, size):
        conn.cursor().execute("SELECT 1")
        return self.rest.pop(0)
try:
    cur.copy_from(File(), "within")
except driver.DatabaseError as raised:
    print(type(raised.__cause__).__name__, conn.closed)
"""


def both(dsn, program):
    found = []
    for name in ("psycopg2", "kecoa"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, name, dsn],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        found.append(done.stdout.splitlines())
    return found


def test_a_signal_handler(dsn):
    theirs, ours = both(dsn, HANDLER)
    assert theirs == ["ran", "1 0"]
    assert ours == ["refused", "1 0"]


def test_the_file_of_a_copy(dsn):
    theirs, ours = both(dsn, COPY)
    assert theirs == ["NoneType 2"]
    assert ours == ["ProgrammingError 0"]
