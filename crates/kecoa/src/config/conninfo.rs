//! Connection strings: keyword/value pairs and URLs, read and written as libpq does.
//!
//! Source: PostgreSQL's documentation, "Connection Strings" of libpq. Only names are checked here;
//! values are when they are used.

use super::secrets::shown;
use super::{options, secrets, url};
use crate::error::Error;

/// Reads a connection string, `host=… dbname=…` or `postgresql://…`, into its pairs, in the order
/// given. A name given twice appears twice; the last one counts.
///
/// # Errors
///
/// [`crate::ErrorKind::Config`], in libpq's words, for what cannot be read and for unknown names.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, Error> {
    if text.contains('\0') {
        return Err(Error::config("the connection string contains a NUL character"));
    }
    if let Some(rest) = url::after_scheme(text) {
        return url::parse(rest);
    }
    match url::foreign_scheme(text) {
        // What follows is not shown: it may hold a password.
        Some(scheme) => Err(Error::config(format!(
            "missing \"=\" after \"{}…\" in connection info string\nHINT: {}",
            scheme.unwrap_or_default(),
            instead_of(scheme.unwrap_or_default())
        ))),
        None => parse_pairs(text),
    }
}

/// What to write in the place of a scheme that another library reads.
fn instead_of(scheme: &str) -> &'static str {
    let word = scheme.strip_prefix("jdbc:").unwrap_or(scheme);
    let (dialect, has_driver) = match word.split_once(['+', ':', '/']) {
        Some((dialect, _)) => (dialect, word.contains('+')),
        None => (word, false),
    };
    match dialect {
        "postgresql" | "postgres" if scheme.starts_with("jdbc:") => {
            "without \"jdbc:\", with the user before the host: postgresql://user@host:port/database"
        }
        "cockroachdb" | "cockroach" => {
            "that is for SQLAlchemy's create_engine(); here CockroachDB's URL begins with postgresql://"
        }
        "postgresql" | "postgres" if has_driver => {
            "a driver is named to SQLAlchemy's create_engine(); here the URL begins with postgresql://"
        }
        _ => "a URL begins with postgresql:// or postgres://",
    }
}

/// Refuses a URL that can be read, but hardly is what it was meant as: a part of a password that was not
/// percent-encoded would be taken for a host or a database, and come back in a message.
///
/// # Errors
///
/// [`crate::ErrorKind::Config`].
pub fn refuse_misread(text: &str) -> Result<(), Error> {
    url::after_scheme(text).map_or(Ok(()), url::refuse_misread)
}

/// Writes pairs as a keyword/value string that [`parse`] reads back.
///
/// Quotes and backslashes are escaped with a backslash; a value that is empty or contains white
/// space is put in quotes, as psycopg2's `make_dsn` does.
pub fn format<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> String
where
    N: AsRef<str>,
    V: AsRef<str>,
{
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(name.as_ref());
        text.push('=');
        let value = value.as_ref();
        let quoted = value.is_empty() || value.contains(char::is_whitespace);
        if quoted {
            text.push('\'');
        }
        for c in value.chars() {
            if matches!(c, '\'' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        if quoted {
            text.push('\'');
        }
    }
    text
}

/// What libpq takes for white space: C's `isspace`, which counts the vertical tab.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

fn parse_pairs(text: &str) -> Result<Vec<(String, String)>, Error> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    let before = |rest: &str| text.get(..text.len() - rest.len()).unwrap_or(text);
    while !rest.is_empty() {
        let end = rest.find(|c| c == '=' || is_space(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(after) = after.trim_start_matches(is_space).strip_prefix('=') else {
            return Err(missing_equals(name, before(rest), pairs.last()));
        };
        let requires = name == options::OLD_SSL;
        let Some(option) = options::find(if requires { "sslmode" } else { name }) else {
            return Err(unknown(name, before(rest)));
        };
        let (value, after) = parse_value(after.trim_start_matches(is_space)).ok_or_else(|| {
            Error::config(format!(
                "unterminated quoted string in connection info string\n\
                 HINT: the value of {name} begins with a ' and has none at its end; \
                 a ' within it is written \\'"
            ))
        })?;
        let value = if requires { options::old_ssl(&value).to_owned() } else { value };
        pairs.push((option.name.to_owned(), value));
        rest = after.trim_start_matches(is_space);
    }
    Ok(pairs)
}

/// The error for a name that is none. What comes before it may tell that it is a part of a secret: then
/// the name is not shown, but that of the option that it is a slip of is.
fn unknown(name: &str, before: &str) -> Error {
    if !secrets::speaks_of_passwords(before) {
        return options::unknown(name);
    }
    let hint = match options::nearest(name) {
        Some(nearest) => format!(
            "did you mean \"{nearest}\"? If it belongs to a value, quote that: password='two words'"
        ),
        None => "quote a value that contains spaces: password='two words'".to_owned(),
    };
    let hidden = secrets::HIDDEN;
    Error::config(format!("invalid connection option \"{hidden}\"\nHINT: {hint}"))
}

fn missing_equals(word: &str, before: &str, last: Option<&(String, String)>) -> Error {
    let shown = match () {
        // The name of an option without anything behind it.
        () if options::find(word).is_some() => word,
        () if secrets::speaks_of_passwords(before) => secrets::HIDDEN,
        () => shown(word),
    };
    match last {
        // The word is then most likely the second word of the secret.
        Some((name, _)) if options::is_secret(name) => Error::config(format!(
            "missing \"=\" after the word that follows {name} in connection info string\n\
             HINT: quote a value that contains spaces: {name}='two words'"
        )),
        _ => Error::config(format!(
            "missing \"=\" after \"{shown}\" in connection info string\n\
             HINT: it is written as option=value, as in host=localhost dbname=bank, or as a URL \
             postgresql://localhost/bank",
        )),
    }
}

/// Reads one value and gives back what follows it; nothing when a quote is not closed. A backslash
/// takes the next character as it is.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let (text, quoted) = match text.strip_prefix('\'') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            '\'' if quoted => return Some((value, chars.as_str())),
            c if !quoted && is_space(c) => {
                return Some((value, text.get(at..).unwrap_or_default()));
            }
            c => value.push(c),
        }
    }
    if quoted { None } else { Some((value, "")) }
}
