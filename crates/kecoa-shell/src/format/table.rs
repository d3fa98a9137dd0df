//! Columns beneath each other, or a line a column.

use std::io;

use kecoa::proto::Rows;

use super::look::{Column, Expanded, Kind, Look, Printer, Screen};
use crate::escape;
use crate::style::Role;

/// How many rows, and bytes of cells, are looked at before widths are settled.
const CHUNK_ROWS: usize = 1000;
const CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// A column is not cut to less than this.
const NARROWEST: usize = 8;

pub(super) struct Table {
    look: Look,
    screen: Screen,
    columns: Vec<Column>,
    /// Cells that are not written yet, row by row.
    cells: Vec<Option<String>>,
    bytes: usize,
    /// Widths of the rows so far; the heading is written once.
    widths: Vec<usize>,
    begun: bool,
    expanded: bool,
    /// Rows written.
    written: u64,
    was_cut: bool,
}

impl Table {
    pub(super) fn new(look: Look, screen: Screen, columns: Vec<Column>) -> Table {
        let columns: Vec<Column> = columns
            .into_iter()
            .map(|column| Column {
                name: escape::line(column.name.as_bytes()).into_owned(),
                ..column
            })
            .collect();
        let widths = columns.iter().map(|column| escape::width(&column.name)).collect();
        let expanded = look.expanded == Expanded::On;
        Table {
            look,
            screen,
            columns,
            cells: Vec::new(),
            bytes: 0,
            widths,
            begun: false,
            expanded,
            written: 0,
            was_cut: false,
        }
    }

    /// Writes the rows that are held.
    fn flush(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        let cells = std::mem::take(&mut self.cells);
        self.bytes = 0;
        let count = self.columns.len().max(1);
        for row in cells.chunks(count) {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                let text = cell.as_deref().unwrap_or(&self.look.null);
                *width = (*width).max(escape::width(text));
            }
        }
        if !self.begun {
            if self.look.expanded == Expanded::Auto
                && self.screen.width.is_some_and(|screen| self.total() > screen)
            {
                self.expanded = true;
            }
            if !self.expanded && self.screen.cut {
                self.fit();
            }
        } else if !self.expanded && self.screen.cut {
            self.fit();
        }
        if self.expanded {
            return self.write_records(&cells, count, out);
        }
        if !self.begun && !self.look.tuples_only {
            self.write_heading(out)?;
        }
        self.begun = true;
        for row in cells.chunks(count) {
            self.write_row(row, out)?;
            self.written += 1;
        }
        Ok(())
    }

    /// How wide a row is.
    fn total(&self) -> usize {
        self.widths.iter().map(|width| width + 3).sum::<usize>().saturating_sub(1)
    }

    /// Narrows the widest columns until a row fits the screen.
    fn fit(&mut self) {
        let Some(screen) = self.screen.width else { return };
        while self.total() > screen {
            let excess = self.total() - screen;
            let widest = self.widths.iter().copied().max().unwrap_or(0);
            if widest <= NARROWEST {
                break;
            }
            let second =
                self.widths.iter().copied().filter(|width| *width < widest).max().unwrap_or(0);
            let next = widest.saturating_sub(excess).max(second).max(NARROWEST);
            let Some(place) = self.widths.iter_mut().find(|width| **width == widest) else { break };
            *place = next.min(widest - 1);
        }
    }

    fn write_heading(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        let mut names = Vec::new();
        for (column, width) in self.columns.iter().zip(&self.widths) {
            let name = escape::cut(&column.name, *width);
            self.was_cut |= name != column.name;
            let room = width.saturating_sub(escape::width(&name));
            let (left, right) = (room / 2, room - room / 2);
            let painted = self.screen.style.paint(Role::Heading, &name);
            names.push(format!(" {}{painted}{} ", " ".repeat(left), " ".repeat(right)));
        }
        writeln!(out, "{}", names.join("|").trim_end())?;
        let rules: Vec<String> = self.widths.iter().map(|width| "-".repeat(width + 2)).collect();
        writeln!(out, "{}", rules.join("+"))
    }

    fn write_row(&mut self, row: &[Option<String>], out: &mut dyn io::Write) -> io::Result<()> {
        let mut line = String::new();
        for (index, ((column, width), cell)) in
            self.columns.iter().zip(&self.widths).zip(row).enumerate()
        {
            if index > 0 {
                line.push('|');
            }
            let text = cell.as_deref().unwrap_or(&self.look.null);
            let cut = if self.screen.cut { escape::cut(text, *width) } else { text.into() };
            self.was_cut |= cut.len() != text.len();
            let room = " ".repeat(width.saturating_sub(escape::width(&cut)));
            let painted = match cell {
                Some(_) => cut.into_owned(),
                None => self.screen.style.paint(Role::Dim, &cut),
            };
            line.push(' ');
            if column.kind == Kind::Number {
                line.push_str(&room);
                line.push_str(&painted);
            } else {
                line.push_str(&painted);
                line.push_str(&room);
            }
            line.push(' ');
        }
        writeln!(out, "{}", line.trim_end_matches(' '))
    }

    fn write_records(
        &mut self,
        cells: &[Option<String>],
        count: usize,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        self.begun = true;
        let names =
            self.columns.iter().map(|column| escape::width(&column.name)).max().unwrap_or(0);
        let values = self.widths.iter().copied().max().unwrap_or(0);
        for row in cells.chunks(count) {
            self.written += 1;
            if !self.look.tuples_only {
                let wide = (names + 3 + values).min(self.screen.width.unwrap_or(usize::MAX));
                let mut rule = format!("-[ RECORD {} ]", self.written);
                while rule.len() < wide.min(200) {
                    rule.push(if rule.len() == names + 1 { '+' } else { '-' });
                }
                writeln!(out, "{}", self.screen.style.paint(Role::Heading, &rule))?;
            } else if self.written > 1 {
                writeln!(out)?;
            }
            for (column, cell) in self.columns.iter().zip(row) {
                let room = " ".repeat(names - escape::width(&column.name));
                let name = self.screen.style.paint(Role::Heading, &column.name);
                let value = match cell {
                    Some(value) => value.clone(),
                    None => self.screen.style.paint(Role::Dim, &self.look.null),
                };
                writeln!(out, "{}", format!("{name}{room} | {value}").trim_end())?;
            }
        }
        Ok(())
    }
}

impl Printer for Table {
    fn rows(&mut self, rows: &Rows, out: &mut dyn io::Write) -> io::Result<()> {
        for row in rows.iter() {
            for value in row.fields() {
                let cell = value.map(|value| escape::line(value).into_owned());
                self.bytes += cell.as_ref().map_or(0, String::len) + 32;
                self.cells.push(cell);
            }
            if self.columns.is_empty() {
                self.cells.push(Some(String::new()));
            }
            if self.bytes > CHUNK_BYTES
                || self.cells.len() >= CHUNK_ROWS * self.columns.len().max(1)
            {
                self.flush(out)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn io::Write) -> io::Result<Option<String>> {
        if !self.cells.is_empty() || !self.begun {
            self.flush(out)?;
        }
        if !self.look.tuples_only && self.look.counted {
            let rows = if self.written == 1 { "row" } else { "rows" };
            writeln!(out, "({} {rows})", self.written)?;
        }
        Ok(self.was_cut.then(|| {
            "some values are cut to the width of the terminal: \\x shows them whole".to_owned()
        }))
    }
}
