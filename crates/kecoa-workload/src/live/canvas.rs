//! A part of the screen, and what is drawn on it: text, bars, charts.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier, Style};

/// Parts of a cell, from an eighth of its height to the whole.
const HEIGHTS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Parts of a cell, from an eighth of its width to the whole.
const WIDTHS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// What is meant by a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Waits,
    Accent,
}

/// A part of the screen. Columns and rows count from its own corner; what is outside of it is cut off.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    color: bool,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, area: Rect, color: bool) -> Canvas<'a> {
        Canvas { buffer, area, color }
    }

    /// Another part of the screen.
    pub(super) fn part(&mut self, area: Rect) -> Canvas<'_> {
        let area = area.intersection(self.buffer.area);
        Canvas { buffer: self.buffer, area, color: self.color }
    }

    pub(super) fn width(&self) -> usize {
        self.area.width.into()
    }

    pub(super) fn height(&self) -> usize {
        self.area.height.into()
    }

    /// The first `rows` rows, and the rest.
    pub(super) fn rows(&self, rows: u16) -> (Rect, Rect) {
        let area = self.area;
        let above = rows.min(area.height);
        let below = Rect { y: area.y + above, height: area.height - above, ..area };
        (Rect { height: above, ..area }, below)
    }

    /// The left half and the right half, with two columns between them.
    pub(super) fn halves(&self) -> (Rect, Rect) {
        let area = self.area;
        let left = area.width.saturating_sub(2) / 2;
        let right = area.width.saturating_sub(left + 2);
        let right = Rect { x: area.x + area.width - right, width: right, ..area };
        (Rect { width: left, ..area }, right)
    }

    /// Text at a column and row, at most `width` columns of it.
    pub(super) fn text(&mut self, x: usize, y: usize, width: usize, text: &str, tone: Tone) {
        if y >= self.height() || x >= self.width() {
            return;
        }
        let (Ok(column), Ok(row)) = (u16::try_from(x), u16::try_from(y)) else { return };
        let width = width.min(self.width() - x);
        let style = self.style(tone);
        self.buffer.set_stringn(self.area.x + column, self.area.y + row, text, width, style);
    }

    /// Text that ends at the right edge.
    pub(super) fn text_right(&mut self, y: usize, text: &str, tone: Tone) {
        let width = text.chars().count();
        self.text(self.width().saturating_sub(width), y, width, text, tone);
    }

    /// Texts one behind the other, two columns apart; those that do not fit are left out.
    pub(super) fn parts(&mut self, y: usize, parts: &[(String, Tone)]) {
        let mut x = 0;
        for (text, tone) in parts {
            if x + text.chars().count() > self.width() {
                return;
            }
            self.text(x, y, self.width(), text, *tone);
            x += text.chars().count() + 2;
        }
    }

    /// A heading in the first row: a name, as much of what is to be said beside it as fits, and a line to
    /// the end.
    pub(super) fn heading(&mut self, name: &str, said: &[String]) {
        self.text(0, 0, self.width(), name, Tone::Strong);
        let mut x = name.chars().count() + 1;
        for (index, said) in said.iter().enumerate() {
            let said = if index == 0 { said.clone() } else { format!("· {said}") };
            let end = x + said.chars().count();
            if end > self.width() {
                break;
            }
            self.text(x, 0, self.width(), &said, Tone::Plain);
            x = end + 1;
        }
        let line = "─".repeat(self.width().saturating_sub(x));
        self.text(x, 0, line.len(), &line, Tone::Faint);
    }

    /// How far something is, over the whole width of a row.
    pub(super) fn gauge(&mut self, y: usize, done: u64, whole: u64) {
        let width = self.width();
        let filled = scaled(done.min(whole), whole, width);
        self.text(0, y, filled, &"━".repeat(filled), Tone::Accent);
        self.text(filled, y, width, &"╌".repeat(width - filled), Tone::Faint);
    }

    /// A bar of at most `width` columns that grows to the right; whatever is there at all is seen.
    pub(super) fn bar(
        &mut self,
        (x, y): (usize, usize),
        width: usize,
        (number, most): (u64, u64),
        tone: Tone,
    ) {
        let eighths = scaled(number, most, width * 8).max(usize::from(number > 0));
        let mut bar = "█".repeat(eighths / 8);
        bar.push_str(WIDTHS.get(eighths % 8).copied().unwrap_or_default());
        self.text(x, y, width, &bar, tone);
    }

    /// Columns that grow up from the row `floor`, at most `height` rows high, each `width` columns wide.
    pub(super) fn columns(
        &mut self,
        floor: usize,
        height: usize,
        width: usize,
        values: &[u64],
        tone: Tone,
    ) {
        let most = values.iter().copied().max().unwrap_or(0);
        for (index, value) in values.iter().enumerate() {
            let eighths = scaled(*value, most, height * 8).max(usize::from(*value > 0));
            for row in 0..height {
                let filled = eighths.saturating_sub(row * 8).min(8);
                let cell = HEIGHTS.get(filled).copied().unwrap_or_default();
                if filled > 0 {
                    let y = floor.saturating_sub(row);
                    self.text(index * width, y, width, &cell.repeat(width), tone);
                }
            }
        }
    }

    fn style(&self, tone: Tone) -> Style {
        let style = Style::new();
        match tone {
            Tone::Plain => style,
            Tone::Strong => style.add_modifier(Modifier::BOLD),
            Tone::Bad if !self.color => style.add_modifier(Modifier::BOLD),
            Tone::Faint if !self.color => style.add_modifier(Modifier::DIM),
            _ if !self.color => style,
            Tone::Faint => style.fg(Color::DarkGray),
            Tone::Good => style.fg(Color::Green),
            Tone::Bad => style.fg(Color::Red),
            Tone::Waits => style.fg(Color::Yellow),
            Tone::Accent => style.fg(Color::Cyan),
        }
    }
}

/// The share of `whole` that `part` is, in `cells`, rounded.
pub(super) fn scaled(part: u64, whole: u64, cells: usize) -> usize {
    let (part, whole, cells) = (u128::from(part), u128::from(whole.max(1)), cells as u128);
    usize::try_from((part * cells + whole / 2) / whole).unwrap_or_default()
}
