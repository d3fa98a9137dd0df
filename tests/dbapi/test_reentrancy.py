"""Code that uses the connection from inside of a statement: signal handlers, the file or table of a COPY.

It would wait for its own statement, for ever. Each runs in a process of its own, which such a wait cannot keep.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("pyarrow")

BEGINNING = """
import faulthandler, io, signal, sys
faulthandler.dump_traceback_later(60, exit=True)
import kecoa
conn = kecoa.connect(sys.argv[1])
cur = conn.cursor()
cur.execute("CREATE TEMP TABLE within (a int)")
conn.commit()

def use():
    try:
        eval(sys.argv[2])
    except kecoa.Error as refused:
        print(type(refused).__name__, "under way" in str(refused))
    else:
        print("done")
"""

USES = {
    "conn.cursor().execute('SELECT 1')": "ProgrammingError True",
    "cur.execute('SELECT 1')": "ProgrammingError True",
    "cur.executemany('SELECT %s', [(1,), (2,), (3,)])": "ProgrammingError True",
    "conn.cursor('named').execute('SELECT 1')": "ProgrammingError True",
    "conn.commit()": "ProgrammingError True",
    "conn.rollback()": "ProgrammingError True",
    "conn.reset()": "ProgrammingError True",
    "conn.poll()": "ProgrammingError True",
    "conn.lobject()": "ProgrammingError True",
    "conn.get_parameter_status('DateStyle')": "ProgrammingError True",
    "conn.info.parameter_status('DateStyle')": "ProgrammingError True",
    "conn.set_client_encoding('LATIN1')": "ProgrammingError True",
    "conn.cursor().copy_expert('COPY within TO STDOUT', io.StringIO())": "ProgrammingError True",
    "conn.__init__(sys.argv[1])": "ProgrammingError True",
    "conn.close()": "done",
    "conn.cancel()": "done",
    "conn.closed, conn.status, conn.info.transaction_status, conn.fileno(), conn.encoding": "done",
    "cur.mogrify('%s', ('a',))": "done",
}


def run(dsn, program, use):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEGINNING + program, dsn, use],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("use", "expected"), USES.items())
def test_a_signal_handler(dsn, use, expected):
    program = """
signal.signal(signal.SIGALRM, lambda *_: use())
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    cur.execute("SELECT pg_sleep(1)")
except kecoa.Error as raised:
    print(type(raised).__name__)
print(conn.closed)
if not conn.closed:
    conn.rollback()
    cur.execute("SELECT 1")
"""
    lines = run(dsn, program, use)
    assert lines[0] == expected
    assert lines[1:-1] == (["QueryCanceled"] if "cancel" in use else [])
    assert lines[-1] == ("1" if "close()" in use else "0")


COPIES = {
    "from": "cur.copy_expert('COPY within FROM STDIN', File())",
    "to": "cur.execute('INSERT INTO within VALUES (1)'); cur.copy_expert('COPY within TO STDOUT', File())",
    "arrow": "cur.copy_arrow('within', pyarrow.RecordBatchReader.from_batches(SCHEMA, batches()))",
}


#: One of each kind of use: a process for every use of every COPY would be many.
SOME = [
    "cur.execute('SELECT 1')",
    "conn.commit()",
    "conn.get_parameter_status('DateStyle')",
    "conn.cursor().copy_expert('COPY within TO STDOUT', io.StringIO())",
    "conn.close()",
    "cur.mogrify('%s', ('a',))",
]


@pytest.mark.parametrize("kind", COPIES)
@pytest.mark.parametrize(("use", "expected"), [(use, USES[use]) for use in SOME])
def test_a_copy(dsn, kind, use, expected):
    program = f"""
import pyarrow
SCHEMA = pyarrow.schema([("a", pyarrow.int32())])
used = []

def once():
    if not used:
        used.append(1)
        use()

class File:
    rest = ["1\\n", "2\\n", ""]
    def read(self, size):
        once()
        return self.rest.pop(0)
    def write(self, data):
        once()

def batches():
    for number in (1, 2):
        once()
        yield pyarrow.record_batch([pyarrow.array([number], pyarrow.int32())], schema=SCHEMA)

try:
    {COPIES[kind]}
except kecoa.Error as raised:
    print(type(raised).__name__)
print(conn.closed)
if not conn.closed:
    conn.rollback()
    cur.execute("SELECT 1")
"""
    lines = run(dsn, program, use)
    assert lines[0] == expected
    assert lines[1:-1] == []
    assert lines[-1] == ("1" if "close()" in use else "0")


def test_a_handler_that_raises_ends_the_statement(dsn):
    """As a handler of SIGTERM that closes and exits."""
    program = """
def handler(*_):
    conn.close()
    sys.exit(0)

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
try:
    cur.execute("SELECT pg_sleep(300)")
finally:
    print(conn.closed)
"""
    assert run(dsn, program, "") == ["1"]


def test_another_thread_waits_as_before(dsn):
    program = """
import threading
found = []

def other():
    with conn.cursor() as mine:
        mine.execute("SELECT 5")
        found.append(mine.fetchone())

class File:
    rest = ["1\\n", ""]
    def read(self, size):
        if len(self.rest) == 2:
            thread.start()
        return self.rest.pop(0)

thread = threading.Thread(target=other)
cur.copy_expert("COPY within FROM STDIN", File())
thread.join()
print(found, conn.closed)
"""
    assert run(dsn, program, "") == ["[(5,)] 0"]
