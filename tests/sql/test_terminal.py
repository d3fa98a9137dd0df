"""`kecoa sql` in a terminal: what somebody sees who types."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path


def test_a_session(dsn, terminal, environment):
    shell = terminal(dsn, "--color", "never")
    shell.until(r"kecoa [\d.]+, connected to PostgreSQL .*\n.*help.*\n.*> $")
    shell.type("SELECT 1 AS one,\n")
    shell.type("'a;b' AS two;\n")
    assert "   1 | a;b" in shell.until(r"\(1 row\)\n.*> $")
    # The transaction's state is in the prompt.
    shell.type("BEGIN;\n")
    shell.until(r"BEGIN\n.* \*> $")
    shell.type("SELECT 1/0;\n")
    text = shell.until(r" !> $")
    assert "ERROR 22012: division by zero" in text
    shell.type("ROLLBACK;\n")
    shell.until(r"ROLLBACK\n.*/\w+ > $")
    shell.type("SELEC 1;\n")
    assert "LINE 1: SELEC 1\n        ^" in shell.until(r"\^\n.*> $")
    shell.type("CREATE USER kecoa_shell_x PASSWORD 'hunter2'; DROP USER kecoa_shell_x;\n")
    shell.until(r"DROP ROLE\n.*> $")
    shell.type("\\x\n")
    shell.until(r"expanded is on\n.*> $")
    shell.type("\\g\n")
    shell.until(r"> $")
    shell.type("\x04")
    assert shell.status() == 0
    history = Path(environment["KECOA_HISTORY"])
    assert stat.S_IMODE(os.stat(history).st_mode) == 0o600
    assert "hunter2" not in history.read_text()
    assert "SELECT 1 AS one,\\n'a;b' AS two;" in history.read_text()


def test_ctrl_c_cancels_and_clears(dsn, terminal):
    shell = terminal(dsn, "--color", "never", "-q")
    shell.until(r"> $")
    shell.type("SELECT 'typed by mistake")
    shell.until("mistake")
    shell.type("\x03")
    shell.until(r"> $")
    shell.type("SELECT pg_sleep(60);\n")
    shell.until(r"sleep\(60\);\n")
    # Until the statement runs at the server there is nothing to cancel.
    shell.read(0.5)
    shell.type("\x03")
    text = shell.until(r"> $")
    assert "57014" in text
    assert "cancelled by Ctrl-C" in text
    # What was entered with a cancelled statement does not run.
    shell.type("SELECT pg_sleep(60); SELECT 'ran' || 'after';\n")
    shell.until(r"after';\n")
    shell.read(0.5)
    shell.type("\x03")
    assert "ranafter" not in shell.until(r"> $")
    shell.type("SELECT 'still' || ' here';\n")
    shell.until(r"still here")
    assert "ranafter" not in shell.shown()
    shell.type("\\q\n")
    assert shell.status() == 0


def test_ctrl_c_ends_a_script(dsn, terminal):
    shell = terminal(dsn, "-c", "SELECT 1", "-c", "SELECT pg_sleep(60)", "-c", "SELECT 'never'")
    shell.until(r"\(1 row\)")
    shell.read(0.5)
    shell.type("\x03")
    assert shell.status() == 130
    assert "never" not in shell.shown()


def test_pasted_data_and_what_follows_it(dsn, terminal):
    shell = terminal(dsn, "--color", "never", "-q")
    shell.until(r"> $")
    shell.type("CREATE TEMP TABLE pasted (a INT, b TEXT);\n")
    shell.until(r"> $")
    shell.type("COPY pasted FROM STDIN;\n")
    shell.until(r">> $")
    # As a terminal pastes it, when it was asked to say so.
    shell.type("\x1b[200~1\tone\n2\ttwo\n\\.\nSELECT 'rows: ' || count(*) FROM pasted;\n\x1b[201~\n")
    shell.until(r"rows: 2")
    shell.until(r"> $")
    shell.type("COPY pasted FROM STDIN;\n")
    shell.until(r">> $")
    # Tab is typed: it stands between columns.
    shell.type("3\tthree\n")
    shell.until(r">> $")
    shell.type("\\.\n")
    shell.until(r"> $")
    shell.type("SELECT 'then: ' || count(*) FROM pasted WHERE b IN ('one', 'two', 'three');\n")
    shell.until(r"then: 3")


def test_a_server_that_is_stopped_is_given_up(dsn, terminal, connect):
    shell = terminal(dsn, "--color", "never", "-q")
    shell.until(r"> $")
    shell.type("SELECT 'process ' || pg_backend_pid();\n")
    process = int(shell.until(r"process \d+\n").split("process ")[-1].split()[0])
    shell.until(r"> $")
    try:
        os.kill(process, signal.SIGSTOP)
        shell.type("SELECT 'answered';\n")
        time.sleep(0.5)
        shell.type("\x03")
        # Two that come before the first is seen are one.
        time.sleep(1.5)
        shell.type("\x03")
        text = shell.until(r"connected again.*\n.*> $")
        assert "the connection was closed" in text
        assert "within" not in text
    finally:
        os.kill(process, signal.SIGCONT)


def test_a_server_does_not_control_the_terminal(dsn, terminal):
    shell = terminal(dsn, "--color", "never", "-q")
    shell.until(r"> $")
    for form in ("table", "csv", "tsv", "json", "unaligned", "markdown", "html"):
        shell.type(f"\\pset format {form}\n")
        shell.until(r"> $")
        shell.type("SELECT 'x' || chr(27) || '[31mred' || chr(7) || chr(155) AS a;\n")
        shell.until(r"red[^']*\n(.*\n)*.*> $")
        assert "\x1b[31m" not in shell.raw[shell.mark :]
        assert "\x07" not in shell.raw[shell.mark :]


def test_names_are_completed(dsn, terminal, connect):
    conn = connect()
    conn.autocommit = True
    conn.cursor().execute("CREATE TABLE IF NOT EXISTS completed_accounts (completed_balance INT)")
    try:
        shell = terminal(dsn, "--color", "never", "-q")
        shell.until(r"> $")
        # The names come by a connection of their own, a moment later.
        for _ in range(50):
            shell.type("SELECT completed_b FROM completed_acc\t")
            while "completed_accounts" not in shell.shown() and shell.read(0.5):
                pass
            if "completed_accounts" in shell.shown():
                break
            shell.type("\x03")
            shell.until(r"> $")
        else:
            raise AssertionError(shell.shown())
    finally:
        conn.cursor().execute("DROP TABLE completed_accounts")


def test_colours_only_where_they_are_wanted(dsn, terminal):
    for arguments, variables, wanted in (
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
        (("--color", "never"), {}, False),
    ):
        shell = terminal(dsn, "-q", *arguments, **variables)
        shell.until(r"> $")
        shell.type("SELECT NULL AS n;\n")
        # Ctrl-D before the prompt would be the terminal's, not the shell's.
        shell.until(r"\(1 row\)\n(?s:.*)> $")
        assert ("\x1b[1;34m" in shell.raw) is wanted, (arguments, variables)
        shell.type("\x04")
        assert shell.status() == 0


def test_a_lost_connection_is_made_anew(dsn, terminal, connect):
    shell = terminal(dsn, "--color", "never", "-q")
    shell.until(r"> $")
    shell.type("BEGIN; CREATE TABLE never_made (x INT);\n")
    shell.until(r"\*> $")
    shell.type("SELECT 'process ' || pg_backend_pid();\n")
    process = int(shell.until(r"process \d+\n").split("process ")[-1].split()[0])
    cursor = connect().cursor()
    cursor.execute("SELECT pg_terminate_backend(%s)", (process,))
    shell.read(0.3)
    shell.type("COMMIT;\n")
    text = shell.until(r"connected again.*\n.*/\w+ > $")
    assert "no statement was run again" in text
    shell.type("SELECT to_regclass('never_made') IS NULL AS gone;\n")
    shell.until(r" t\n")
