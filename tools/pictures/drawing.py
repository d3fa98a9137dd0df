"""Draws SVG: text, boxes, arrows, and sequence diagrams.

Colours follow `prefers-color-scheme`, which browsers pass on to a picture in a page: light and dark pages get
the same file. Text stays text. Nothing is loaded from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

# Chooses between the English and the Indonesian text.
Say = Callable[[str, str], str]

FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SIZE = 14

# name: (on light, on dark)
COLOURS = {
    "ink": ("#1f2937", "#e5e7eb"),
    "soft": ("#6b7280", "#9ca3af"),
    "go": ("#1d5fb0", "#7db4f5"),
    "bad": ("#b42318", "#f59b95"),
    "good": ("#1a7f45", "#6fd39b"),
    "wait": ("#8a5a00", "#e5b454"),
}
# Fills of boxes, faint on either background.
FAINT = ("0.07", "0.16")


def _style() -> str:
    """Return the style sheet of every picture."""

    def rules(dark: bool) -> str:
        at = 1 if dark else 0
        return "".join(
            f".{name}{{fill:{pair[at]}}}.s-{name}{{stroke:{pair[at]}}}"
            f".f-{name}{{fill:{pair[at]};fill-opacity:{FAINT[at]};stroke:{pair[at]}}}"
            for name, pair in COLOURS.items()
        )

    return (
        f"text{{font:{SIZE}px {FONT}}}.mono{{font-family:{MONO};font-size:{SIZE - 1}px}}"
        ".bold{font-weight:600}.small{font-size:13px}"
        "line,path,polyline{fill:none;stroke-width:1.6}rect{stroke-width:1.4}.dash{stroke-dasharray:5 4}"
        f"{rules(dark=False)}@media (prefers-color-scheme:dark){{{rules(dark=True)}}}"
    )


class Picture:
    """One picture. Coordinates are pixels at its full size; y grows downwards."""

    def __init__(self, width: int, title: str, description: str, height: int = 0) -> None:
        self.width, self.height = width, height
        self.title, self.description = title, description
        self.parts: list[str] = []

    def text(self, x: float, y: float, words: str, style: str = "ink", anchor: str = "middle") -> None:
        """Write `words` with their baseline at `y`; lines are separated by a newline."""
        for number, line in enumerate(words.split("\n")):
            self.parts.append(
                f'<text x="{x:g}" y="{y + number * 19:g}" class="{style}" text-anchor="{anchor}">{escape(line)}</text>'
            )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        words: str = "",
        style: str = "soft",
        text: str = "ink",
    ) -> None:
        """Draw a box with `words` in its middle."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" class="f-{style}"/>'
        )
        if words:
            count = words.count("\n") + 1
            self.text(x + width / 2, y + height / 2 + 5 - (count - 1) * 9.5, words, text)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, style: str = "soft", dashed: bool = False
    ) -> None:
        """Draw a line."""
        dash = " dash" if dashed else ""
        self.parts.append(f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="s-{style}{dash}"/>')

    def path(self, points: Sequence[tuple[float, float]], style: str = "soft", dashed: bool = False) -> None:
        """Draw a line through points."""
        dash = " dash" if dashed else ""
        listed = " ".join(f"{x:g},{y:g}" for x, y in points)
        self.parts.append(f'<polyline points="{listed}" class="s-{style}{dash}"/>')

    def head(self, x: float, y: float, dx: float, dy: float, style: str) -> None:
        """Draw the head of an arrow that points along (dx, dy), with its tip at (x, y)."""
        length = (dx * dx + dy * dy) ** 0.5
        ux, uy = dx / length, dy / length
        bx, by = x - 9 * ux, y - 9 * uy
        points = f"{x:g},{y:g} {bx - 4.5 * uy:g},{by + 4.5 * ux:g} {bx + 4.5 * uy:g},{by - 4.5 * ux:g}"
        self.parts.append(f'<polygon points="{points}" class="{style}"/>')

    def arrow(
        self, x1: float, y1: float, x2: float, y2: float, style: str = "soft", dashed: bool = False
    ) -> None:
        """Draw an arrow from (x1, y1) to (x2, y2)."""
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        back = 6 / length
        self.line(x1, y1, x2 - (x2 - x1) * back, y2 - (y2 - y1) * back, style, dashed)
        self.head(x2, y2, x2 - x1, y2 - y1, style)

    def bent(self, points: Sequence[tuple[float, float]], style: str = "soft", dashed: bool = False) -> None:
        """Draw an arrow with corners, through points."""
        (x1, y1), (x2, y2) = points[-2:]
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        back = 6 / length
        self.path([*points[:-1], (x2 - (x2 - x1) * back, y2 - (y2 - y1) * back)], style, dashed)
        self.head(x2, y2, x2 - x1, y2 - y1, style)

    def dot(self, x: float, y: float, radius: float, style: str) -> None:
        """Draw a dot."""
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" class="{style}"/>')

    def cross(self, x: float, y: float, style: str = "bad", size: float = 6) -> None:
        """Draw a cross, where something is lost."""
        for sign in (1, -1):
            self.parts.append(
                f'<line x1="{x - size:g}" y1="{y - sign * size:g}" x2="{x + size:g}" y2="{y + sign * size:g}"'
                f' class="s-{style}" style="stroke-width:2.6"/>'
            )

    def svg(self) -> str:
        """Return the file."""
        body = "\n".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}" height="{self.height}" role="img" aria-labelledby="title desc">\n'
            f'<title id="title">{escape(self.title)}</title>\n<desc id="desc">{escape(self.description)}</desc>\n'
            f"<style>{_style()}</style>\n{body}\n</svg>\n"
        )


class SequenceDiagram:
    """A sequence diagram: actors side by side, messages between them, time runs down."""

    def __init__(self, picture: Picture, actors: Sequence[tuple[float, str]], top: float = 10) -> None:
        self.picture = picture
        self.columns = [x for x, _ in actors]
        self.y = top + 34
        self.start = top + 30
        self.gaps: list[list[tuple[float, float]]] = [[] for _ in actors]
        for x, name in actors:
            picture.box(x - 58, top, 116, 30, name, "soft", "ink bold")

    def message(
        self, source: int, target: int, words: str, style: str = "go", mono: bool = True, step: float = 40
    ) -> None:
        """Draw an arrow between two actors, with words above it."""
        self.y += step
        x1, x2 = self.columns[source], self.columns[target]
        sign = 1 if x2 > x1 else -1
        self.picture.text((x1 + x2) / 2, self.y - 7, words, f"{style} mono" if mono else style)
        self.picture.arrow(x1 + 4 * sign, self.y, x2 - 4 * sign, self.y, style)

    def lost(self, source: int, target: int, words: str, style: str = "bad", step: float = 40) -> None:
        """Draw a message that does not arrive."""
        self.y += step
        x1, x2 = self.columns[source], self.columns[target]
        end = x1 + (x2 - x1) * 0.62
        self.picture.text((x1 + end) / 2, self.y - 9, words, f"{style} mono")
        self.picture.line(x1, self.y, end, self.y, style, dashed=True)
        self.picture.cross(end + (8 if x2 > x1 else -8), self.y)

    def note(self, actor: int, words: str, style: str = "soft", step: float = 12, width: float = 120) -> None:
        """Put a box on an actor's line."""
        height = 19 * (words.count("\n") + 1) + 9
        self.y += step
        x = self.columns[actor]
        self.gaps[actor].append((self.y, self.y + height))
        self.picture.box(
            x - width / 2, self.y, width, height, words, style, style if style != "soft" else "ink"
        )
        self.y += height

    def finish(self, extra: float = 14) -> None:
        """Draw the life lines, and let the picture end below them."""
        for x, gaps in zip(self.columns, self.gaps, strict=True):
            y = self.start
            for top, bottom in [*gaps, (self.y + extra, 0.0)]:
                self.picture.line(x, y, x, top, "soft", dashed=True)
                y = bottom
        self.picture.height = round(self.y + extra + 8)
