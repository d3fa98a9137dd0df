"""A picture of a terminal: what `kecoa demo --inject-retries` printed, recorded in demo.txt (long lines shortened)."""

from __future__ import annotations

from pathlib import Path

from tools.pictures.drawing import Picture, Say

RECORDED = Path(__file__).with_name("demo.txt")
LINE, TOP, LEFT, COLUMN = 22, 34, 16, 7.9


def demo(say: Say) -> Picture:
    """The demo, with three retries."""
    lines = RECORDED.read_text("utf-8").splitlines()
    picture = Picture(
        int(2 * LEFT + COLUMN * max(map(len, lines))),
        say("kecoa demo --inject-retries", "kecoa demo --inject-retries"),
        say(
            "A terminal. Two accounts have $1000 and $250. Three attempts to move $100 fail with SQLSTATE 40001, and"
            " kecoa waits 29, 57 and 324 milliseconds. Then the accounts have $900 and $350.",
            "Sebuah terminal. Dua rekening berisi $1000 dan $250. Tiga percobaan memindahkan $100 gagal dengan SQLSTATE"
            " 40001, dan kecoa menunggu 29, 57, dan 324 milidetik. Setelah itu rekening berisi $900 dan $350.",
        ),
        height=TOP + LINE * len(lines) - 4,
    )
    picture.box(1, 1, picture.width - 2, picture.height - 2)
    for number, line in enumerate(lines):
        if line.startswith("$ "):
            style = "ink bold mono"
        elif " failed: " in line:
            style = "bad mono"
        elif " wait " in line:
            style = "wait mono"
        elif "balance: " in line or line.endswith(" committed"):
            style = "good mono"
        else:
            style = "soft mono"
        picture.text(LEFT, TOP + number * LINE - 4, line, style, anchor="start")
    return picture
