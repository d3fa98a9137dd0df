//! Backslash commands: their names, arguments and help.

use crate::variables::{Variables, identifier, is_name, literal};

/// A command's line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// Without the backslash: `d+`, `copy`.
    pub(crate) name: String,
    /// Separated at blanks, with quotes and variables resolved.
    pub(crate) arguments: Vec<String>,
    /// Everything behind the name, as it was written.
    pub(crate) rest: String,
    /// SQL behind `\\`, or another command with its backslash.
    pub(crate) behind: Option<String>,
}

/// Commands whose arguments are the whole line.
const WHOLE_LINE: [&str; 4] = ["copy", "!", "h", "help"];

/// A row of the help: a command, its arguments, what it does. A heading has no command.
pub(crate) const HELP: &[(&str, &str, &str)] = &[
    ("", "", "General"),
    ("q", "", "leave; so does Ctrl-D"),
    ("?", "", "this help"),
    ("h", "[STATEMENT]", "statements of SQL, or where one is documented"),
    ("conninfo", "", "where the shell is connected, and how"),
    ("c", "[DATABASE|URL]", "connect to another database, or anew"),
    ("timing", "[on|off]", "show how long each statement takes"),
    ("", "", "Statements"),
    ("g", "[FILE]", "run what is typed, or the last statement again; the result into a file"),
    ("gx", "", "the same, one line a column"),
    ("watch", "[SECONDS]", "run it every few seconds until Ctrl-C [default: 2]"),
    ("e", "[FILE]", "edit what is typed, or the last statement, in $EDITOR"),
    ("p", "", "show what is typed"),
    ("r", "", "forget what is typed"),
    ("", "", "Input and output"),
    ("i", "FILE", "run a file"),
    ("o", "[FILE]", "results into a file; without one, back to the terminal"),
    (
        "copy",
        "TABLE|(QUERY) FROM|TO FILE|stdin|stdout [OPTIONS]",
        "COPY with a file of this machine",
    ),
    ("echo", "[TEXT]", "write text"),
    ("restrict", "KEY", "refuse commands up to \\unrestrict KEY, as dumps of pg_dump want it"),
    ("s", "[FILE]", "show the history, or write it to a file"),
    ("", "", "What there is; + shows more, S the system's own; a name may have * and ?"),
    ("d", "[NAME]", "columns, indexes and constraints of tables and views; without a name, a list"),
    ("dt", "[NAME]", "tables"),
    ("di", "[NAME]", "indexes"),
    ("dv", "[NAME]", "views"),
    ("dm", "[NAME]", "materialized views"),
    ("ds", "[NAME]", "sequences"),
    ("df", "[NAME]", "functions"),
    ("dn", "[NAME]", "schemas"),
    ("dT", "[NAME]", "types"),
    ("du", "[NAME]", "roles"),
    ("l", "[NAME]", "databases"),
    ("", "", "Looks"),
    ("x", "[on|off|auto]", "one line a column; auto: where a table is too wide"),
    (
        "pset",
        "[OPTION [VALUE]]",
        "format, null, expanded, pager, tuples_only, fieldsep; without an option, show all",
    ),
    ("a", "", "switch between table and unaligned"),
    ("t", "[on|off]", "rows only, without headings and counts"),
    ("", "", "Variables"),
    ("set", "[NAME [VALUE]]", "set a variable: :NAME, :'NAME' and :\"NAME\" stand for it"),
    ("unset", "NAME", "forget a variable"),
];

/// Takes the line behind a backslash apart.
///
/// # Errors
/// A quote without its end.
pub(crate) fn parse(line: &str, variables: &Variables) -> Result<Command, String> {
    let line = line.trim();
    let end = match line.chars().next() {
        Some('?' | '!') => 1,
        _ => line.find(|c: char| c.is_whitespace() || c == '\\').unwrap_or(line.len()),
    };
    let (name, rest) = line.split_at(end);
    let mut command = Command {
        name: name.to_owned(),
        arguments: Vec::new(),
        rest: rest.trim().trim_end_matches(';').trim_end().to_owned(),
        behind: None,
    };
    if WHOLE_LINE.contains(&name) {
        return Ok(command);
    }
    let mut arguments = Arguments { text: rest, variables };
    while let Some(argument) = arguments.next(name)? {
        command.arguments.push(argument);
    }
    let behind = arguments.text;
    if let Some(sql) = behind.strip_prefix("\\\\") {
        command.behind = Some(sql.to_owned());
    } else if behind.starts_with('\\') {
        command.behind = Some(behind.to_owned());
    }
    Ok(command)
}

struct Arguments<'a> {
    text: &'a str,
    variables: &'a Variables,
}

impl Arguments<'_> {
    /// The next argument; nothing at the end, or where another command begins.
    fn next(&mut self, command: &str) -> Result<Option<String>, String> {
        self.text = self.text.trim_start();
        if self.text.is_empty() || self.text.starts_with('\\') {
            return Ok(None);
        }
        let mut argument = String::new();
        while let Some(first) = self.text.chars().next() {
            match first {
                c if c.is_whitespace() => break,
                '\\' => break,
                '\'' => {
                    let (value, rest) = single_quoted(self.text, command)?;
                    argument.push_str(&value);
                    self.text = rest;
                }
                '"' => {
                    // The quotes stay: they say how a name is meant.
                    let behind = self.text.get(1..).unwrap_or_default();
                    let length = behind
                        .find('"')
                        .ok_or_else(|| format!("\\{command}: expected a closing \", found none"))?;
                    argument.push_str(self.text.get(..length + 2).unwrap_or_default());
                    self.text = self.text.get(length + 2..).unwrap_or_default();
                }
                ':' => match self.variable() {
                    Some(value) => argument.push_str(&value),
                    None => {
                        // A variable that is not set stays as it is written, quotes and all.
                        let length = unset_length(self.text);
                        argument.push_str(self.text.get(..length).unwrap_or_default());
                        self.text = self.text.get(length..).unwrap_or_default();
                    }
                },
                other => self.take(other, &mut argument),
            }
        }
        Ok(Some(argument))
    }

    fn take(&mut self, character: char, argument: &mut String) {
        argument.push(character);
        self.text = self.text.get(character.len_utf8()..).unwrap_or_default();
    }

    /// The value of the variable at the start of the text, which is taken then.
    fn variable(&mut self) -> Option<String> {
        let behind = self.text.get(1..)?;
        let quote = behind.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let name = match quote {
            Some(quote) => {
                let inner = behind.get(1..)?;
                inner.get(..inner.find(quote)?)?
            }
            None => {
                let end = behind.find(|c: char| !is_name(&c.to_string())).unwrap_or(behind.len());
                behind.get(..end)?
            }
        };
        let value = self.variables.get(name)?;
        self.text = behind.get(name.len() + if quote.is_some() { 2 } else { 0 }..)?;
        Some(match quote {
            Some('\'') => literal(value),
            Some(_) => identifier(value),
            None => value.to_owned(),
        })
    }
}

/// How long the `:'name'` at the start is, or the colon alone.
fn unset_length(text: &str) -> usize {
    let name = |quote: char| {
        let inner = text.strip_prefix(':')?.strip_prefix(quote)?;
        inner.get(..inner.find(quote)?).filter(|name| is_name(name))
    };
    name('\'').or_else(|| name('"')).map_or(1, |name| name.len() + 3)
}

/// What is within the single quotes at the start, and what is behind them.
fn single_quoted<'a>(text: &'a str, command: &str) -> Result<(String, &'a str), String> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((index, character)) = characters.next() {
        match character {
            '\'' if characters.next_if(|(_, next)| *next == '\'').is_some() => value.push('\''),
            '\'' => return Ok((value, text.get(index + 1..).unwrap_or_default())),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, other)) => value.push(other),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err(format!("\\{command}: expected a closing ', found none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_taken_apart() {
        let mut variables = Variables::default();
        variables.set("t", "my table");
        for (line, name, arguments, behind) in [
            ("d", "d", &[][..], None),
            ("d+ a b", "d+", &["a", "b"], None),
            ("dt \"My T\".x*", "dt", &["\"My T\".x*"], None),
            ("echo 'it''s' 'a\\tb' plain", "echo", &["it's", "a\tb", "plain"], None),
            ("set x :t", "set", &["x", "my table"], None),
            ("set x a:'t':missing", "set", &["x", "a'my table':missing"], None),
            ("echo :'unset' a:\"unset\"b", "echo", &[":'unset'", "a:\"unset\"b"], None),
            ("echo :'no name' ::'x'", "echo", &[":no name", "::'x'"], None),
            ("?", "?", &[], None),
            ("x \\\\ SELECT 1;", "x", &[], Some(" SELECT 1;")),
            ("pset format csv \\timing", "pset", &["format", "csv"], Some("\\timing")),
            ("x\\d", "x", &[], Some("\\d")),
        ] {
            let command = parse(line, &variables).expect(line);
            assert_eq!(command.name, name, "{line}");
            assert_eq!(command.arguments, arguments, "{line}");
            assert_eq!(command.behind.as_deref(), behind, "{line}");
        }
        assert_eq!(parse("copy t FROM 'a b' ;", &variables).expect("copy").rest, "t FROM 'a b'");
        assert!(parse("echo 'open", &variables).is_err());
        assert!(parse("d \"open", &variables).is_err());
    }
}
