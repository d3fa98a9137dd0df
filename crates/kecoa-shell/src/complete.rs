//! Completion: what may stand at a place in a statement.

use kecoa_sql::{Token, TokenKind, lex};

use crate::command::HELP;
use crate::format::Format;
use crate::keywords::{KEYWORDS, is_keyword};
use crate::names::Names;
use crate::variables::identifier;

/// What can be put in place of the text from `start` to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    pub(crate) start: usize,
    pub(crate) candidates: Vec<String>,
}

/// What a place wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Columns, functions, keywords.
    Expression,
    Tables,
    Schemas,
    Databases,
    Roles,
    Types,
    Settings,
    Indexes,
    Sequences,
    Functions,
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

/// A token that is no blank.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    kind: TokenKind,
    text: &'a str,
    end: usize,
}

impl Word<'_> {
    fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    fn is_name(&self) -> bool {
        match self.kind {
            TokenKind::Word => !is_keyword(self.text),
            TokenKind::QuotedIdentifier => true,
            _ => false,
        }
    }
}

/// The tokens of the statement in which the cursor is.
fn statement_around<'a>(text: &'a str, tokens: &[Token], cursor: usize) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    for token in tokens {
        let piece = text.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            TokenKind::Space | TokenKind::Comment => {}
            TokenKind::Punctuation if piece == ";" => {
                if token.start >= cursor {
                    break;
                }
                words.clear();
            }
            kind => words.push(Word { kind, text: piece, end: token.end }),
        }
    }
    words
}

const BEFORE_TABLE: [&str; 11] = [
    "FROM",
    "JOIN",
    "INTO",
    "UPDATE",
    "TABLE",
    "TRUNCATE",
    "COPY",
    "REFERENCES",
    "ANALYZE",
    "VIEW",
    "ONLY",
];

/// What may stand behind these tokens.
fn wanted(ahead: &[&Word<'_>]) -> Wanted {
    let Some(last) = ahead.last() else { return Wanted::Expression };
    let first = ahead.first();
    let previous = ahead.len().checked_sub(2).and_then(|index| ahead.get(index));
    if matches!(last.text, "::" | ":::") {
        return Wanted::Types;
    }
    if ahead.len() == 1 && last.is_any(&["SET", "SHOW", "RESET"]) {
        return Wanted::Settings;
    }
    if ahead.len() == 2
        && first.is_some_and(|word| word.is("SET"))
        && last.is_any(&["SESSION", "LOCAL"])
    {
        return Wanted::Settings;
    }
    if last.is_any(&["EXISTS", "CONCURRENTLY"]) {
        // DROP TABLE IF EXISTS: what stands before the two words decides.
        let kept: Vec<&Word<'_>> = ahead
            .iter()
            .copied()
            .filter(|word| !word.is_any(&["IF", "NOT", "EXISTS", "CONCURRENTLY"]))
            .collect();
        if kept.len() < ahead.len() {
            return wanted(&kept);
        }
    }
    if last.is_any(&BEFORE_TABLE) {
        let grants = first.is_some_and(|word| word.is("REVOKE"));
        return if grants && last.is("FROM") { Wanted::Roles } else { Wanted::Tables };
    }
    if last.is("ON") && first.is_some_and(|word| word.is_any(&["CREATE", "GRANT", "REVOKE"])) {
        return Wanted::Tables;
    }
    for (word, wanted) in [
        ("SCHEMA", Wanted::Schemas),
        ("DATABASE", Wanted::Databases),
        ("USE", Wanted::Databases),
        ("ROLE", Wanted::Roles),
        ("USER", Wanted::Roles),
        ("TYPE", Wanted::Types),
        ("INDEX", Wanted::Indexes),
        ("SEQUENCE", Wanted::Sequences),
        ("FUNCTION", Wanted::Functions),
        ("PROCEDURE", Wanted::Functions),
        ("CALL", Wanted::Functions),
    ] {
        if last.is(word) {
            return wanted;
        }
    }
    if last.is("TO")
        && (previous.is_some_and(|word| word.is("OWNER"))
            || first.is_some_and(|word| word.is("GRANT")))
    {
        return Wanted::Roles;
    }
    if last.text == "," {
        // A list goes on: the clause that it belongs to decides.
        let mut depth = 0_usize;
        for word in ahead.iter().rev() {
            match word.text {
                ")" => depth += 1,
                "(" if depth == 0 => break,
                "(" => depth -= 1,
                _ if depth > 0 => {}
                _ if word.is("FROM") => return Wanted::Tables,
                _ if word.is_any(&[
                    "SELECT",
                    "WHERE",
                    "BY",
                    "SET",
                    "VALUES",
                    "RETURNING",
                    "USING",
                    "ON",
                ]) =>
                {
                    break;
                }
                _ => {}
            }
        }
    }
    Wanted::Expression
}

/// A table that a statement names, and what it is called there.
#[derive(Debug, PartialEq, Eq)]
struct TableRef {
    schema: Option<String>,
    table: String,
    alias: Option<String>,
}

fn unquoted(text: &str) -> String {
    match text.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// The tables that a statement names.
fn tables_of(words: &[Word<'_>]) -> Vec<TableRef> {
    let mut tables = Vec::new();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        index += 1;
        let creates = words.first().is_some_and(|word| word.is("CREATE"));
        if !(word.is_any(&BEFORE_TABLE) || creates && word.is("ON")) {
            continue;
        }
        while let Some((table, next)) = table_at(words, index) {
            tables.push(table);
            index = next;
            // FROM a, b
            if word.is("FROM") && words.get(index).is_some_and(|word| word.text == ",") {
                index += 1;
            } else {
                break;
            }
        }
    }
    tables
}

fn table_at(words: &[Word<'_>], mut index: usize) -> Option<(TableRef, usize)> {
    while words.get(index)?.is_any(&["IF", "NOT", "EXISTS", "ONLY"]) {
        index += 1;
    }
    let mut parts = Vec::new();
    loop {
        let word = words.get(index)?;
        if !word.is_name() {
            return None;
        }
        parts.push(unquoted(word.text));
        index += 1;
        if words.get(index).is_some_and(|word| word.text == ".") {
            index += 1;
        } else {
            break;
        }
    }
    let table = parts.pop()?;
    let mut alias = None;
    let has_as = words.get(index).is_some_and(|word| word.is("AS"));
    if let Some(word) = words.get(index + usize::from(has_as))
        && word.is_name()
    {
        alias = Some(unquoted(word.text));
        index += 1 + usize::from(has_as);
    }
    Some((TableRef { schema: parts.pop(), table, alias }, index))
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

    fn keywords(&mut self) {
        if self.prefix.starts_with('"') {
            return;
        }
        let typed = self.prefix.to_ascii_uppercase();
        let lower = !self.prefix.is_empty() && !self.prefix.chars().any(char::is_uppercase);
        for keyword in KEYWORDS.iter().filter(|keyword| keyword.starts_with(&typed)) {
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
                self.keywords();
            }
            Wanted::Schemas => self.names(&names.schemas),
            Wanted::Databases => self.names(&names.databases),
            Wanted::Roles => self.names(&names.roles),
            Wanted::Types => self.names(&names.types),
            Wanted::Settings => {
                self.words(&names.settings.iter().map(String::as_str).collect::<Vec<&str>>());
                self.keywords();
            }
            Wanted::Indexes => {
                self.names(&names.indexes);
                self.keywords();
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
                self.keywords();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let text =
            |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        let mut names = Names {
            schemas: text(&["public", "sales"]),
            databases: text(&["bank", "defaultdb"]),
            roles: text(&["maya", "root"]),
            types: text(&["mood", "uuid"]),
            functions: text(&["now", "length", "lower"]),
            settings: text(&["search_path", "statement_timeout"]),
            indexes: text(&["accounts_pkey"]),
            sequences: text(&["ids"]),
            search_path: text(&["public"]),
            ..Names::default()
        };
        for (schema, table, columns) in [
            ("public", "accounts", &["id", "balance", "Owner"][..]),
            ("public", "My Table", &["x"]),
            ("sales", "orders", &["id", "total"]),
        ] {
            let key = (schema.to_owned(), table.to_owned());
            names.tables.push(key.clone());
            names.columns.insert(key, text(columns));
        }
        names
    }

    /// What is offered where `|` stands.
    fn offered(text: &str) -> Vec<String> {
        let cursor = text.find('|').expect("a cursor");
        complete(&text.replace('|', ""), cursor, &names()).candidates
    }

    #[test]
    fn a_place_gets_what_may_stand_there() {
        for (text, first) in [
            ("SELECT * FROM acc|", "accounts"),
            ("SELECT * FROM |", "accounts"),
            ("SELECT * FROM accounts, sal|", "sales"),
            ("SELECT * FROM sales.|", "orders"),
            ("SELECT bal| FROM accounts", "balance"),
            ("SELECT bal|", "balance"),
            ("SELECT * FROM accounts WHERE |", "id"),
            ("SELECT a.| FROM accounts a", "id"),
            ("SELECT a.b| FROM accounts AS a", "balance"),
            ("SELECT accounts.o| FROM accounts", "\"Owner\""),
            ("SELECT o.t| FROM sales.orders o", "total"),
            ("SELECT 1; SELECT bal| FROM accounts; SELECT 2", "balance"),
            ("INSERT INTO acc|", "accounts"),
            ("INSERT INTO accounts (ba|", "balance"),
            ("UPDATE accounts SET b|", "balance"),
            ("DROP TABLE IF EXISTS acc|", "accounts"),
            ("DROP INDEX IF EXISTS acc|", "accounts_pkey"),
            ("SELECT * FROM \"My|", "\"My Table\""),
            ("SELECT * FROM my|", "\"My Table\""),
            ("SET sta|", "statement_timeout"),
            ("SHOW sea|", "search_path"),
            ("SELECT '1'::uu|", "uuid"),
            ("ALTER TABLE accounts OWNER TO m|", "maya"),
            ("GRANT SELECT ON accounts TO m|", "maya"),
            ("REVOKE SELECT ON accounts FROM m|", "maya"),
            ("DROP SCHEMA s|", "sales"),
            ("DROP DATABASE b|", "bank"),
            ("CREATE INDEX ON accounts (ba|", "balance"),
            ("SELECT len|", "length("),
            ("sel|", "select"),
            ("SEL|", "SELECT"),
            ("\\d acc|", "accounts"),
            ("\\d sales.|", "orders"),
            ("\\c b|", "bank"),
            ("\\ti|", "timing"),
            ("\\x a|", "auto"),
            ("\\pset format c|", "csv"),
            ("\\h sel|", "SELECT"),
        ] {
            assert_eq!(offered(text).first().map(String::as_str), Some(first), "{text}");
        }
    }

    #[test]
    fn strings_and_comments_get_nothing() {
        for text in [
            "SELECT 'acc|",
            "SELECT 'acc|' FROM accounts",
            "-- sel|",
            "/* sel| */",
            "SELECT $$ sel|",
            "SELECT 12|",
        ] {
            assert_eq!(offered(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn it_never_fails_on_any_place() {
        let text = "SELECT \"a.b\" FROM é.\"x, 'q' WHERE $$ /* -- \\d \n \\x";
        for (cursor, _) in text.char_indices() {
            let completion = complete(text, cursor, &names());
            assert!(completion.start <= cursor, "{cursor}");
        }
    }
}
