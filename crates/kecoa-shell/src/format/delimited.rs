//! Fields with something between them: CSV, TSV, psql's unaligned form.

use std::io;

use kecoa::proto::Rows;

use super::look::{Column, Format, Look, Printer, Screen, shown};
use crate::escape;

pub(super) struct Delimited {
    look: Look,
    screen: Screen,
    names: Option<Vec<String>>,
    written: u64,
}

impl Delimited {
    pub(super) fn new(look: Look, screen: Screen, columns: &[Column]) -> Delimited {
        let names = (!look.tuples_only).then(|| columns.iter().map(|c| c.name.clone()).collect());
        Delimited { look, screen, names, written: 0 }
    }

    fn write_heading(&mut self, out: &mut dyn io::Write) -> io::Result<()> {
        let Some(names) = self.names.take() else { return Ok(()) };
        self.write(names.iter().map(|name| Some(name.as_bytes())), out)
    }

    fn write<'a>(
        &self,
        fields: impl Iterator<Item = Option<&'a [u8]>>,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        for (index, value) in fields.enumerate() {
            if index > 0 {
                match self.look.format {
                    Format::Csv => out.write_all(b",")?,
                    Format::Tsv => out.write_all(b"\t")?,
                    _ => out.write_all(self.look.separator.as_bytes())?,
                }
            }
            match self.look.format {
                Format::Csv => self.write_csv(value, out)?,
                Format::Tsv => self.write_tsv(value, out)?,
                _ => match value {
                    Some(value) if self.screen.is_terminal => {
                        out.write_all(escape::line(value).as_bytes())?;
                    }
                    Some(value) => out.write_all(value)?,
                    None => out.write_all(self.look.null.as_bytes())?,
                },
            }
        }
        out.write_all(b"\n")
    }

    fn write_csv(&self, value: Option<&[u8]>, out: &mut dyn io::Write) -> io::Result<()> {
        let Some(value) = value else { return Ok(()) };
        let text = shown(value, self.screen);
        let quoted = text.is_empty()
            || text.contains(['"', ',', '\n', '\r'])
            || text.starts_with(char::is_whitespace)
            || text.ends_with(char::is_whitespace);
        if quoted {
            write!(out, "\"{}\"", text.replace('"', "\"\""))
        } else {
            out.write_all(text.as_bytes())
        }
    }

    fn write_tsv(&self, value: Option<&[u8]>, out: &mut dyn io::Write) -> io::Result<()> {
        let Some(value) = value else { return out.write_all(b"\\N") };
        let mut text = String::from_utf8_lossy(value);
        if text.contains(['\\', '\t', '\n', '\r']) {
            text = text
                .replace('\\', "\\\\")
                .replace('\t', "\\t")
                .replace('\n', "\\n")
                .replace('\r', "\\r")
                .into();
        }
        out.write_all(shown(text.as_bytes(), self.screen).as_bytes())
    }
}

impl Printer for Delimited {
    fn rows(&mut self, rows: &Rows, out: &mut dyn io::Write) -> io::Result<()> {
        self.write_heading(out)?;
        for row in rows.iter() {
            self.write(row.fields(), out)?;
            self.written += 1;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn io::Write) -> io::Result<Option<String>> {
        self.write_heading(out)?;
        if self.look.format == Format::Unaligned && !self.look.tuples_only && self.look.counted {
            let rows = if self.written == 1 { "row" } else { "rows" };
            writeln!(out, "({} {rows})", self.written)?;
        }
        Ok(None)
    }
}
