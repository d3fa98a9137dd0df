//! Completion: what may stand at a place in a statement.

mod statement;
#[cfg(test)]
mod tests;
use kecoa_sql::{Token, TokenKind, lex};

use crate::command::HELP;
use crate::format::Format;
use crate::keywords::{FIRST, KEYWORDS, NEXT};
use crate::names::Names;
use crate::variables::identifier;
use statement::{TableRef, Wanted, Word, statement_around, tables_of, unquoted, wanted};

/// What can be put in place of the text from `start` to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) start: usize,
    pub(crate) candidates: Vec<String>,
}

/// The completion at the cursor, a place in bytes.
pub(crate) fn complete(text: &str, cursor: usize, names: &Names) -> Completion {
    let before = text.get(..cursor).unwrap_or(text);
    let start = word_start(before);
    let nothing = Completion { start: cursor, candidates: Vec::new() };
    if let Some(command) = command_before(before) {
        return command_completion(before, start, command, names);
    }
    let tokens = lex(text.as_bytes(), false);
    // Within a string or a comment there is nothing to complete.
    let within = |token: &&Token| token.start < cursor && cursor <= token.end;
    if let Some(token) = tokens.iter().find(within) {
        let piece = text.get(token.start..token.end).unwrap_or_default();
        let is_open_name = token.kind == TokenKind::Unfinished && piece.starts_with('"');
        let closed = token.end == cursor && token.kind != TokenKind::Comment;
        match token.kind {
            TokenKind::Comment if cursor < token.end || piece.starts_with("--") => return nothing,
            TokenKind::Unfinished if !is_open_name => return nothing,
            TokenKind::String
            | TokenKind::EscapeString
            | TokenKind::DollarString
            | TokenKind::BString
            | TokenKind::XString
                if !closed =>
            {
                return nothing;
            }
            TokenKind::Number => return nothing,
            _ => {}
        }
    }
    let statement = statement_around(text, &tokens, cursor);
    let words = &statement;
    let typed = before.get(start..).unwrap_or_default();
    let (qualifier, prefix) = match typed.rfind('.') {
        Some(dot) => (typed.get(..dot), typed.get(dot + 1..).unwrap_or_default()),
        None => (None, typed),
    };
    let ahead: Vec<&Word<'_>> = words.iter().filter(|word| word.end <= start).collect();
    let wanted = wanted(&ahead);
    let tables = tables_of(words);
    let mut found = Found { prefix, candidates: Vec::new() };
    match qualifier {
        Some(qualifier) => {
            let path: Vec<String> = qualifier.split('.').map(unquoted).collect();
            found.behind(&path, wanted, &tables, names);
        }
        None => found.at(wanted, &ahead, &tables, names),
    }
    Completion { start: cursor - prefix.len(), candidates: found.candidates }
}

/// Where the name that ends the text begins: letters, digits, dots and quoted parts.
fn word_start(before: &str) -> usize {
    let mut start = before.len();
    // An odd number of quotes means that one is open: what is typed is within a quoted name.
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let mut quoted = before.get(line..).unwrap_or_default().matches('"').count() % 2 == 1;
    for (index, character) in before.char_indices().rev() {
        let is_part = character.is_alphanumeric() || matches!(character, '_' | '$' | '.' | '"');
        if !(is_part || quoted) {
            break;
        }
        if character == '"' {
            quoted = !quoted;
        }
        start = index;
    }
    start
}

/// The command whose arguments are typed at the end of the text, without its backslash. Only where the
/// line begins with it, or it follows a statement.
fn command_before(before: &str) -> Option<&str> {
    let line = before.get(before.rfind('\n').map_or(0, |end| end + 1)..)?;
    let tokens = lex(line.as_bytes(), false);
    let slash = tokens.iter().find(|token| line.get(token.start..token.end) == Some("\\"))?;
    line.get(slash.end..)
}

fn command_completion(before: &str, start: usize, command: &str, names: &Names) -> Completion {
    let Some((name, arguments)) = command.split_once(char::is_whitespace) else {
        let start = before.len() - command.len();
        let known = HELP.iter().map(|(name, _, _)| *name).filter(|name| !name.is_empty());
        let candidates =
            known.filter(|name| name.starts_with(command)).map(str::to_owned).collect();
        return Completion { start, candidates };
    };
    let typed = before.get(start..).unwrap_or_default();
    let mut found = Found { prefix: typed, candidates: Vec::new() };
    let first = arguments.trim_start();
    let is_first = !first.contains(char::is_whitespace);
    match name.trim_end_matches(['+', 'S']) {
        "d" | "dt" | "di" | "dv" | "dm" | "copy" if is_first => {
            if let Some((schema, table)) = typed.split_once('.') {
                found.prefix = table;
                found.behind(&[unquoted(schema)], Wanted::Tables, &[], names);
            } else {
                found.tables(names);
            }
        }
        "ds" => found.names(&names.sequences),
        "df" => found.names(&names.functions),
        "dn" => found.names(&names.schemas),
        "dT" => found.names(&names.types),
        "du" => found.names(&names.roles),
        "c" | "l" | "connect" => found.names(&names.databases),
        "h" | "help" => {
            let typed = first.to_ascii_uppercase();
            let start = before.len() - first.len();
            let candidates = crate::keywords::STATEMENTS
                .iter()
                .filter(|statement| statement.starts_with(&typed))
                .map(|statement| (*statement).to_owned())
                .collect();
            return Completion { start, candidates };
        }
        "x" => found.words(&["on", "off", "auto"]),
        "timing" | "t" => found.words(&["on", "off"]),
        "pset" if is_first => found.words(&crate::settings::OPTIONS),
        "pset" if first.starts_with("format") => {
            found.words(&Format::ALL.map(|(name, _)| name));
        }
        "pset" => found.words(&["on", "off", "auto"]),
        _ => {}
    }
    Completion { start: before.len() - found.prefix.len(), candidates: found.candidates }
}

/// A name as it has to be written.
fn written(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let reserved =
        ["user", "order", "group", "table", "select", "from", "where", "end", "default", "column"];
    if plain && !reserved.contains(&name) { name.to_owned() } else { identifier(name) }
}

struct Found<'a> {
    prefix: &'a str,
    candidates: Vec<String>,
}

impl Found<'_> {
    fn push(&mut self, candidate: String) {
        if !self.candidates.contains(&candidate) {
            self.candidates.push(candidate);
        }
    }

    /// Adds a name, if it begins with what is typed.
    fn name(&mut self, name: &str) {
        let typed = self.prefix.strip_prefix('"').unwrap_or(self.prefix);
        let begins = match self.prefix.starts_with('"') {
            true => name.starts_with(typed),
            false => name.to_lowercase().starts_with(&typed.to_lowercase()),
        };
        if begins {
            let quoted = self.prefix.starts_with('"');
            self.push(if quoted { identifier(name) } else { written(name) });
        }
    }

    fn names(&mut self, names: &[String]) {
        for name in names {
            self.name(name);
        }
    }

    fn words(&mut self, words: &[&str]) {
        let prefix = self.prefix;
        for word in words.iter().filter(|word| word.starts_with(prefix)) {
            self.push((*word).to_owned());
        }
    }

    fn functions(&mut self, names: &Names) {
        // Without a letter there are thousands.
        if self.prefix.is_empty() {
            return;
        }
        for name in &names.functions {
            if name.starts_with(&self.prefix.to_lowercase()) && !name.starts_with("pg_toast") {
                self.push(format!("{}(", written(name)));
            }
        }
    }

    /// Adds keywords that may stand behind these words; few, where no letter says which.
    fn keywords(&mut self, ahead: &[&Word<'_>]) {
        if self.prefix.starts_with('"') {
            return;
        }
        let typed = self.prefix.to_ascii_uppercase();
        let lower = !self.prefix.is_empty() && !self.prefix.chars().any(char::is_uppercase);
        let words = match (ahead, self.prefix) {
            ([], _) => FIRST,
            (_, "") => NEXT,
            _ => KEYWORDS,
        };
        for keyword in words.iter().filter(|keyword| keyword.starts_with(&typed)) {
            self.push(if lower { keyword.to_lowercase() } else { (*keyword).to_owned() });
        }
    }

    fn tables(&mut self, names: &Names) {
        let mut hidden = Vec::new();
        for (schema, table) in &names.tables {
            if names.is_visible(schema) {
                self.name(table);
            } else if schema == "pg_catalog" && self.prefix.starts_with("pg_") {
                hidden.push(table);
            }
        }
        for table in hidden {
            self.name(table);
        }
        for schema in &names.schemas {
            self.name(schema);
        }
    }

    /// What may stand at a place without a name in front.
    fn at(&mut self, wanted: Wanted, ahead: &[&Word<'_>], tables: &[TableRef], names: &Names) {
        match wanted {
            Wanted::Tables => {
                self.tables(names);
                if self.prefix.is_empty() {
                    return;
                }
                self.keywords(ahead);
            }
            Wanted::Keywords => self.keywords(ahead),
            Wanted::Schemas => self.names(&names.schemas),
            Wanted::Databases => self.names(&names.databases),
            Wanted::Roles => self.names(&names.roles),
            Wanted::Types => self.names(&names.types),
            Wanted::Settings => {
                self.words(&names.settings.iter().map(String::as_str).collect::<Vec<&str>>());
                self.keywords(ahead);
            }
            Wanted::Indexes => {
                self.names(&names.indexes);
                self.keywords(ahead);
            }
            Wanted::Sequences => self.names(&names.sequences),
            Wanted::Functions => self.names(&names.functions),
            Wanted::Expression => {
                if !ahead.is_empty() {
                    for table in tables {
                        self.names(names.columns_of(table.schema.as_deref(), &table.table));
                    }
                    if tables.is_empty() && !self.prefix.is_empty() {
                        // The tables are still to be typed: those at hand may be meant.
                        for ((schema, _), columns) in &names.columns {
                            if names.is_visible(schema) {
                                self.names(columns);
                            }
                        }
                    }
                    for table in tables {
                        self.name(table.alias.as_deref().unwrap_or(&table.table));
                    }
                }
                self.keywords(ahead);
                if !ahead.is_empty() {
                    self.functions(names);
                }
            }
        }
    }

    /// What may stand behind a name and a dot.
    fn behind(&mut self, path: &[String], wanted: Wanted, tables: &[TableRef], names: &Names) {
        let Some(last) = path.last() else { return };
        if let [schema, table] = path {
            self.names(names.columns_of(Some(schema), table));
        }
        if wanted != Wanted::Tables && path.len() == 1 {
            for table in tables {
                if table.alias.as_ref().unwrap_or(&table.table) == last {
                    self.names(names.columns_of(table.schema.as_deref(), &table.table));
                }
            }
        }
        for (schema, table) in &names.tables {
            if schema == last {
                self.name(table);
            }
        }
    }
}
