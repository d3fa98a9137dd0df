//! Tables of Markdown and HTML.

use std::io;

use kecoa::proto::Rows;

use super::look::{Column, Kind, Look, Printer, Screen, shown};

pub(super) struct Markdown {
    look: Look,
    screen: Screen,
    columns: Vec<Column>,
    begun: bool,
}

impl Markdown {
    pub(super) fn new(look: Look, screen: Screen, columns: &[Column]) -> Markdown {
        Markdown { look, screen, columns: columns.to_vec(), begun: false }
    }

    fn cell(&self, value: &[u8]) -> String {
        shown(value, self.screen)
            .replace('\\', "\\\\")
            .replace('|', "\\|")
            .replace('<', "&lt;")
            .replace("\r\n", "<br>")
            .replace(['\n', '\r'], "<br>")
    }

    fn begin(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        for column in &self.columns {
            write!(out, "| {} ", self.cell(column.name.as_bytes()))?;
        }
        writeln!(out, "|")?;
        for column in &self.columns {
            out.write_all(if column.kind == Kind::Number { b"|--:" } else { b"|---" })?;
        }
        writeln!(out, "|")
    }
}

impl Printer for Markdown {
    fn rows(&mut self, rows: &Rows, out: &mut dyn io::Write) -> io::Result<()> {
        self.begin(out)?;
        for row in rows.iter() {
            for value in row.fields() {
                let cell = value.map_or_else(|| self.look.null.clone(), |value| self.cell(value));
                write!(out, "| {cell} ")?;
            }
            writeln!(out, "|")?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn io::Write) -> io::Result<Option<String>> {
        self.begin(out)?;
        Ok(None)
    }
}

pub(super) struct Html {
    look: Look,
    screen: Screen,
    columns: Vec<Column>,
    begun: bool,
}

impl Html {
    pub(super) fn new(look: Look, screen: Screen, columns: &[Column]) -> Html {
        Html { look, screen, columns: columns.to_vec(), begun: false }
    }

    fn cell(&self, value: &[u8]) -> String {
        shown(value, self.screen)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\n', "<br>")
    }

    fn begin(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        writeln!(out, "<table>")?;
        if !self.look.tuples_only {
            write!(out, "<tr>")?;
            for column in &self.columns {
                write!(out, "<th>{}</th>", self.cell(column.name.as_bytes()))?;
            }
            writeln!(out, "</tr>")?;
        }
        Ok(())
    }
}

impl Printer for Html {
    fn rows(&mut self, rows: &Rows, out: &mut dyn io::Write) -> io::Result<()> {
        self.begin(out)?;
        for row in rows.iter() {
            write!(out, "<tr>")?;
            for (column, value) in self.columns.iter().zip(row.fields()) {
                let align = if column.kind == Kind::Number { " align=\"right\"" } else { "" };
                match value {
                    Some(value) => write!(out, "<td{align}>{}</td>", self.cell(value))?,
                    None => {
                        write!(out, "<td><i>{}</i></td>", self.cell(self.look.null.as_bytes()))?
                    }
                }
            }
            writeln!(out, "</tr>")?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn io::Write) -> io::Result<Option<String>> {
        self.begin(out)?;
        writeln!(out, "</table>")?;
        Ok(None)
    }
}
