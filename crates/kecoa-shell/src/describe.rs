//! `\d` and its like: what there is in the database.

use std::io::Write;

use crate::catalogue::{self, Listing, Pattern};
use crate::connection::{Connection, Failure};
use crate::escape;
use crate::format::{Look, Screen};
use crate::results::Results;
use crate::style::{Role, Style};

/// Where and how it is shown.
pub(crate) struct View<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) look: Look,
    pub(crate) screen: Screen,
    pub(crate) error_style: Style,
}

/// What the letters behind `\d` ask for; nothing where there is no such command.
pub(crate) fn listing(command: &str) -> Option<Listing> {
    Some(match command {
        "d" => Listing::Relations("rpvmSf"),
        "dt" => Listing::Relations("rp"),
        "di" => Listing::Relations("iI"),
        "dv" => Listing::Relations("v"),
        "dm" => Listing::Relations("m"),
        "ds" => Listing::Relations("S"),
        "df" => Listing::Functions,
        "dn" => Listing::Schemas,
        "dT" => Listing::Types,
        "du" | "dg" => Listing::Roles,
        "l" => Listing::Databases,
        _ => return None,
    })
}

/// Runs a `\d` command with its letters, such as `dt+`. Nothing found is told by what comes back.
pub(crate) fn describe(
    connection: &mut Connection,
    view: &mut View<'_>,
    command: &str,
    listing: Listing,
    text: Option<&str>,
) -> Result<Option<String>, Failure> {
    let (more, system) = (command.contains('+'), command.contains('S'));
    let parsed = text.map(Pattern::parse);
    if let (Some(pattern), true) = (&parsed, command.trim_end_matches(['+', 'S']) == "d") {
        let found = relations(connection, view, pattern, more)?;
        let name = escape::line(text.unwrap_or_default().as_bytes()).into_owned();
        return Ok((!found).then(|| format!("\\d: there is no relation named {name}")));
    }
    let sql = catalogue::list(listing, parsed.as_ref(), system, more);
    let mut results =
        Results::new(view.out, view.look.clone(), view.screen, false, view.error_style);
    connection.run(&sql, &mut results)?;
    Ok(results.remark)
}

/// Shows every relation that the pattern means; whether there is one.
fn relations(
    connection: &mut Connection,
    view: &mut View<'_>,
    pattern: &Pattern,
    more: bool,
) -> Result<bool, Failure> {
    let mut found: Vec<Relation> = connection
        .query(&catalogue::relations(pattern))?
        .iter()
        .filter_map(Relation::read)
        .collect();
    // A name without a schema means the one on the search path, where there is one.
    if pattern.schema.is_none() && !pattern.is_wild() && found.iter().any(|found| found.visible) {
        found.retain(|found| found.visible);
    }
    for (index, relation) in found.iter().enumerate() {
        if index > 0 {
            writeln!(view.out).map_err(Failure::Output)?;
        }
        relation.show(connection, view, more)?;
    }
    Ok(!found.is_empty())
}

/// A row of the catalogue.
struct Relation {
    oid: String,
    schema: String,
    name: String,
    kind: String,
    word: String,
    visible: bool,
}

impl Relation {
    fn read(row: &Vec<Option<String>>) -> Option<Relation> {
        let [Some(oid), Some(schema), Some(name), Some(kind), Some(word), visible] = row.as_slice()
        else {
            return None;
        };
        // It goes into SQL again.
        if oid.is_empty() || !oid.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Relation {
            oid: oid.clone(),
            schema: schema.clone(),
            name: name.clone(),
            kind: kind.clone(),
            word: word.clone(),
            visible: visible.as_deref() == Some("t"),
        })
    }

    fn is_table(&self) -> bool {
        matches!(self.kind.as_str(), "r" | "p" | "f" | "m")
    }

    fn show(
        &self,
        connection: &mut Connection,
        view: &mut View<'_>,
        more: bool,
    ) -> Result<(), Failure> {
        let mut word = self.word.clone();
        if let Some(first) = word.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let title = format!("{word} \"{}.{}\"", self.schema, self.name);
        let title = view.screen.style.paint(Role::Heading, &escape::line(title.as_bytes()));
        writeln!(view.out, "{title}").map_err(Failure::Output)?;
        let look = Look { tuples_only: false, counted: false, ..view.look.clone() };
        // What a column is made of is not cut: the terminal breaks the line.
        let screen = Screen { cut: false, ..view.screen };
        let mut results = Results::new(view.out, look, screen, false, view.error_style);
        connection.run(&catalogue::columns(&self.oid, more), &mut results)?;
        if self.is_table() {
            self.show_parts(connection, view)?;
        }
        if matches!(self.kind.as_str(), "v" | "m") && more {
            let rows = connection.query(&catalogue::view(&self.oid))?;
            if let Some(Some(Some(text))) = rows.first().map(|row| row.first()) {
                let text = escape::lines(text.as_bytes()).into_owned();
                writeln!(view.out, "Definition:\n{text}").map_err(Failure::Output)?;
            }
        }
        Ok(())
    }

    /// Indexes, constraints, references, triggers.
    fn show_parts(&self, connection: &mut Connection, view: &mut View<'_>) -> Result<(), Failure> {
        let cell = |row: &Vec<Option<String>>, index: usize| {
            row.get(index).cloned().flatten().unwrap_or_default()
        };
        let mut indexes = Vec::new();
        for row in connection.query(&catalogue::indexes(&self.oid))? {
            let definition = cell(&row, 3);
            // What is behind USING says it all: `btree (id)`.
            let columns = definition.split_once(" USING ").map_or(definition.as_str(), |(_, c)| c);
            let kind = match (cell(&row, 1).as_str(), cell(&row, 2).as_str()) {
                ("t", _) => "PRIMARY KEY, ",
                (_, "t") => "UNIQUE, ",
                _ => "",
            };
            indexes.push(format!("\"{}\" {kind}{columns}", cell(&row, 0)));
        }
        let (mut checks, mut foreign) = (Vec::new(), Vec::new());
        for row in connection.query(&catalogue::constraints(&self.oid))? {
            let text = format!("\"{}\" {}", cell(&row, 0), cell(&row, 2));
            if cell(&row, 1) == "f" { foreign.push(text) } else { checks.push(text) }
        }
        let references = connection.query(&catalogue::references(&self.oid))?;
        let references: Vec<String> = references
            .iter()
            .map(|row| {
                format!(
                    "TABLE \"{}\" CONSTRAINT \"{}\" {}",
                    cell(row, 0),
                    cell(row, 1),
                    cell(row, 2)
                )
            })
            .collect();
        let mut triggers = Vec::new();
        if !connection.is_cockroach() {
            for row in connection.query(&catalogue::triggers(&self.oid))? {
                triggers.push(format!("\"{}\" {}", cell(&row, 0), cell(&row, 1)));
            }
        }
        for (heading, lines) in [
            ("Indexes", indexes),
            ("Check constraints", checks),
            ("Foreign-key constraints", foreign),
            ("Referenced by", references),
            ("Triggers", triggers),
        ] {
            if lines.is_empty() {
                continue;
            }
            writeln!(view.out, "{heading}:").map_err(Failure::Output)?;
            for line in lines {
                let line = escape::line(line.as_bytes()).into_owned();
                writeln!(view.out, "    {line}").map_err(Failure::Output)?;
            }
        }
        Ok(())
    }
}
