"""Runs one page in a process of its own: python -m tests.docs.running [--accept] PAGE.

DATABASE_URL names the server, and the current folder is the page's. The counts of blocks go to standard output
as JSON; what differs goes to standard error, with exit status 1. `--accept` writes what was printed into the page
where it differs.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import io
import json
import os
import subprocess
import sys
import tempfile
import traceback
import types
from collections import Counter
from pathlib import Path

import kecoa
from tests.docs import blocks, compare
from tests.docs.reasons import REASONS

SECONDS = 180
# Runs one command, then leaves behind what it changed of the environment and where it went.
SHELL = 'eval "$1"; code=$?; { env -0; printf "\\0"; pwd; } > "$2"; exit $code'
NOT_KEPT = frozenset({"_", "SHLVL", "PWD", "OLDPWD"})


class BlockFailed(Exception):
    """A block did not do what the page says."""


class Runner:
    """Runs the blocks of a page, one after the other."""

    def __init__(self, page: blocks.Page) -> None:
        self.page = page
        self.printed = io.StringIO()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.counts: Counter[str] = Counter()
        # What --accept changes: where, and to what.
        self.changes: list[tuple[tuple[int, int], str]] = []
        self.namespace: dict[str, object] = {}
        self.empty_namespace()

    def empty_namespace(self) -> None:
        """Begin a new program. It is a module: annotations are looked up in the module of a class."""
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.namespace = module.__dict__
        # As `exec` would put there: imports from C look for it.
        self.namespace["__builtins__"] = builtins

    def run(self, block: blocks.Block) -> None:
        """Run, write or count a block."""
        if block.excuse is not None:
            if block.excuse not in REASONS:
                raise BlockFailed(f"`{block.excuse}` is no reason of tests/docs/reasons.py")
            self.counts[f"not run: {block.excuse}"] += 1
        elif block.file is not None:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.source, "utf-8")
            self.counts["files"] += 1
        elif block.runs:
            if "fresh" in block.markers:
                self.empty_namespace()
            getattr(self, block.language)(block)
            self.counts[block.language] += 1

    def python(self, block: blocks.Block) -> None:
        """Run Python; `await` may stand outside of a function, as in `python -m asyncio`."""
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        where = "\n" * (block.line - 1) + block.source
        code = compile(where, str(self.page.path), "exec", flags, dont_inherit=True)
        self.printed.seek(0)
        self.printed.truncate()
        stdout, stderr = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = self.printed
        raised = None
        try:
            result = types.FunctionType(code, self.namespace)()
            if inspect.iscoroutine(result):
                self.loop = self.loop or asyncio.new_event_loop()
                self.loop.run_until_complete(result)
        except Exception as error:
            raised = error
            self.printed.write("".join(traceback.format_exception_only(error)))
        finally:
            sys.stdout, sys.stderr = stdout, stderr
        try:
            self.compare(block, block.output, self.printed.getvalue())
        except BlockFailed:
            if raised is not None:
                traceback.print_exception(raised)
            raise

    def compare(self, block: blocks.Block, shown: blocks.Block | None, printed: str) -> None:
        """Compare what was printed with the output block."""
        expected = shown.source if shown else ""
        if compare.agrees(expected, printed, block.markers.get("varies")):
            return
        if shown is not None:
            self.changes.append((shown.span, printed))
        raise BlockFailed(
            compare.difference(expected, printed)
            if shown
            else f"the page does not show what this prints:\n{printed}"
        )

    def console(self, block: blocks.Block) -> None:
        """Run the commands of a console block, and compare what is shown of their output."""
        commands: list[tuple[str, list[str]]] = []
        lines = iter(block.source.splitlines())
        for line in lines:
            if line.startswith("$ "):
                command = line[2:]
                while command.endswith("\\"):
                    command += "\n" + next(lines, "")
                commands.append((command, []))
            elif commands:
                commands[-1][1].append(line)
            else:
                raise BlockFailed(f"a console block begins with `$ `, found {line!r}")
        status = int(block.markers.get("exits", "0"))
        for number, (command, shown) in enumerate(commands, 1):
            code, printed = shell(command)
            expected = status if number == len(commands) else 0
            if code != expected:
                raise BlockFailed(f"`{command}`: expected exit status {expected}, found {code}\n{printed}")
            if any(shown) and not compare.agrees("\n".join(shown), printed, block.markers.get("varies")):
                raise BlockFailed(f"`{command}`\n{compare.difference(chr(10).join(shown), printed)}")

    def sql(self, block: blocks.Block) -> None:
        """Run SQL on a connection of its own."""
        conn = kecoa.connect(os.environ["DATABASE_URL"])
        try:
            conn.autocommit = True
            conn.cursor().execute(block.source)
        finally:
            conn.close()

    def accept(self) -> None:
        """Write into the page what was printed."""
        text = self.page.text
        for (start, end), printed in sorted(self.changes, reverse=True):
            text = text[:start] + printed.rstrip("\n") + "\n" + text[end:]
        self.page.path.write_text(text, "utf-8")


def shell(command: str) -> tuple[int, str]:
    """Run a command as a shell would that stays open: `export` and `cd` last. Return its status and output."""
    with tempfile.TemporaryDirectory() as folder:
        state, output = Path(folder, "state"), Path(folder, "output")
        # A file, not a pipe: what a command leaves running in the background would hold a pipe open.
        with output.open("wb") as file:
            done = subprocess.run(
                ["bash", "-c", SHELL, "bash", command, str(state)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        if state.exists():
            variables, _, place = state.read_bytes().rpartition(b"\0\0")
            kept = dict(entry.split(b"=", 1) for entry in variables.split(b"\0") if b"=" in entry)
            for name in set(os.environb) - set(kept):
                del os.environb[name]
            os.environb.update({k: v for k, v in kept.items() if k.decode() not in NOT_KEPT})
            os.chdir(place.strip().decode())
        return done.returncode, output.read_text("utf-8", "replace")


def main() -> int:
    """Run the page named on the command line."""
    accept = "--accept" in sys.argv
    page = blocks.read(Path(sys.argv[-1]))
    runner = Runner(page)
    failed = 0
    for block in page.blocks:
        try:
            runner.run(block)
        except BlockFailed as error:
            print(f"{page.path}:{block.line}: {error}", file=sys.stderr)
            if not accept or block.output is None:
                failed = 1
                break
    if accept and runner.changes:
        runner.accept()
    print(json.dumps(runner.counts))
    return failed


if __name__ == "__main__":
    sys.exit(main())
