//! What a statement says around the cursor: which words it has, what a place wants, which tables it names.

use kecoa_sql::{Token, TokenKind};

use crate::keywords::is_keyword;

/// What a place wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Columns, functions, keywords.
    Expression,
    /// Behind a table's name.
    Keywords,
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

/// A token that is no blank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) end: usize,
}

impl Word<'_> {
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    pub(super) fn is_name(&self) -> bool {
        match self.kind {
            TokenKind::Word => !is_keyword(self.text),
            TokenKind::QuotedIdentifier => true,
            _ => false,
        }
    }
}

/// The tokens of the statement in which the cursor is.
pub(super) fn statement_around<'a>(
    text: &'a str,
    tokens: &[Token],
    cursor: usize,
) -> Vec<Word<'a>> {
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
pub(super) fn wanted(ahead: &[&Word<'_>]) -> Wanted {
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
    if is_table(ahead) {
        return Wanted::Keywords;
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

/// Whether these words end with a table's name, as behind FROM.
fn is_table(ahead: &[&Word<'_>]) -> bool {
    let mut rest = ahead;
    loop {
        match rest {
            [before @ .., dot, name] if dot.text == "." && name.is_name() => rest = before,
            [.., before, name] => return name.is_name() && before.is_any(&BEFORE_TABLE),
            _ => return false,
        }
    }
}

/// A table that a statement names, and what it is called there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TableRef {
    pub(super) schema: Option<String>,
    pub(super) table: String,
    pub(super) alias: Option<String>,
}

pub(super) fn unquoted(text: &str) -> String {
    match text.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner).replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// The tables that a statement names.
pub(super) fn tables_of(words: &[Word<'_>]) -> Vec<TableRef> {
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
