//! Rows as JSON objects.

use std::io;

use kecoa::proto::Rows;
use serde::de::IgnoredAny;

use super::look::{Column, Kind, Printer, Screen};

pub(super) struct Json {
    screen: Screen,
    /// The names as JSON, each once, and what their values are.
    columns: Vec<(String, Kind)>,
    lines: bool,
    begun: bool,
}

/// A string as JSON, in ASCII where a terminal would act on what is not.
fn string(text: &str, screen: Screen) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if screen.is_terminal && c.len_utf8() > 1 => {
                // Valid JSON either way: only what a terminal would act on is escaped.
                let mut buffer = [0; 4];
                let text = c.encode_utf8(&mut buffer);
                if crate::escape::line(text.as_bytes()) == *text {
                    json.push(c);
                } else {
                    json.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
            }
            '\u{7f}' if screen.is_terminal => json.push_str("\\u007f"),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

/// A value as JSON: numbers, booleans and JSON as they are where they are valid, else a string.
fn value(bytes: Option<&[u8]>, kind: Kind, screen: Screen) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    let text = String::from_utf8_lossy(bytes);
    match kind {
        Kind::Boolean if text == "t" => return "true".to_owned(),
        Kind::Boolean if text == "f" => return "false".to_owned(),
        Kind::Number | Kind::Json if serde_json::from_str::<IgnoredAny>(&text).is_ok() => {
            // A line end in valid JSON is never within a string.
            let one_line = text.replace(['\n', '\r'], " ");
            if !screen.is_terminal || crate::escape::lines(one_line.as_bytes()) == one_line {
                return one_line;
            }
        }
        _ => {}
    }
    string(&text, screen)
}

impl Json {
    pub(super) fn new(screen: Screen, columns: &[Column], lines: bool) -> Json {
        let mut names: Vec<String> = Vec::new();
        for column in columns {
            // Of two members with one name readers keep one: the second gets a number.
            let mut name = column.name.clone();
            let mut number = 2;
            while names.contains(&name) {
                name = format!("{}_{number}", column.name);
                number += 1;
            }
            names.push(name);
        }
        let kinds = columns.iter().map(|column| column.kind);
        let columns = names.iter().map(|name| string(name, screen)).zip(kinds).collect();
        Json { screen, columns, lines, begun: false }
    }
}

impl Printer for Json {
    fn rows(&mut self, rows: &Rows, out: &mut dyn io::Write) -> io::Result<()> {
        for row in rows.iter() {
            let mut object = String::from("{");
            for (index, ((name, kind), field)) in self.columns.iter().zip(row.fields()).enumerate()
            {
                if index > 0 {
                    object.push_str(", ");
                }
                object.push_str(name);
                object.push_str(": ");
                object.push_str(&value(field, *kind, self.screen));
            }
            object.push('}');
            match (self.lines, self.begun) {
                (true, _) => writeln!(out, "{object}")?,
                (false, false) => write!(out, "[\n  {object}")?,
                (false, true) => write!(out, ",\n  {object}")?,
            }
            self.begun = true;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn io::Write) -> io::Result<Option<String>> {
        match (self.lines, self.begun) {
            (true, _) => {}
            (false, true) => writeln!(out, "\n]")?,
            (false, false) => writeln!(out, "[]")?,
        }
        Ok(None)
    }
}
