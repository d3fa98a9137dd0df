//! The password file: lines `host:port:dbname:user:password`, each of the first four may be `*`.
//!
//! Source: PostgreSQL's documentation, "The Password File" of libpq.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What a password is looked up by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) dbname: &'a str,
    pub(super) user: &'a str,
}

/// A file larger than this is no password file.
const SIZE_LIMIT: u64 = 1 << 20;

/// The file's text, or nothing when there is none or it may not be used; a notice then says why.
pub(super) fn read(path: &Path, notices: &mut Vec<String>) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    let shown = path.display();
    if !metadata.is_file() {
        notices.push(format!("password file \"{shown}\" is not a plain file"));
        return None;
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        notices.push(format!(
            "password file \"{shown}\" has group or world access; \
             permissions should be u=rw (0600) or less"
        ));
        return None;
    }
    if metadata.len() > SIZE_LIMIT {
        notices.push(format!("password file \"{shown}\" is larger than {SIZE_LIMIT} bytes"));
        return None;
    }
    match std::fs::read(path) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            notices.push(format!("could not read password file \"{shown}\": {error}"));
            None
        }
    }
}

/// The password of the first line that fits.
pub(super) fn lookup(text: &str, key: Key<'_>) -> Option<String> {
    let port = key.port.to_string();
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let rest = [key.host, &port, key.dbname, key.user].iter().try_fold(line, field)?;
        let password = unescape(rest, None).0;
        (!password.is_empty()).then_some(password)
    })
}

/// Gives back what follows the field if it is `*` or equals `wanted`.
fn field<'a>(line: &'a str, wanted: &&str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let (value, rest) = unescape(line, Some(':'));
    (value == **wanted).then_some(rest?)
}

/// Reads up to an unescaped `end`; a backslash takes the next character as it is. Gives back what
/// follows `end` if it was found.
fn unescape(text: &str, end: Option<char>) -> (String, Option<&str>) {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => value.extend(chars.next()),
            c if Some(c) == end => return (value, Some(chars.as_str())),
            c => value.push(c),
        }
    }
    (value, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key<'_> = Key { host: "db.example", port: 5432, dbname: "bank", user: "maya" };

    #[test]
    fn finds_the_first_line_that_fits() {
        let file = "# a comment\n\
                    other:5432:bank:maya:no\n\
                    db.example:26257:bank:maya:no\n\
                    db.example:5432:bank:maya:first\n\
                    *:*:*:*:second\n";
        assert_eq!(lookup(file, KEY).as_deref(), Some("first"));
        let key = Key { user: "else", ..KEY };
        assert_eq!(lookup(file, key).as_deref(), Some("second"));
    }

    #[test]
    fn takes_escapes() {
        let file = "\\:\\:1:5432:b\\\\c:ma\\:ya:p\\:w\\\\d:x\r\n";
        let key = Key { host: "::1", port: 5432, dbname: "b\\c", user: "ma:ya" };
        assert_eq!(lookup(file, key).as_deref(), Some("p:w\\d:x"));
    }

    #[test]
    fn passes_over_what_does_not_fit() {
        for file in ["", "*", "*:*:*:*", "*:*:*:*:", "db.example:5432:bank:maya", "::::x", "*:*:*"]
        {
            assert_eq!(lookup(file, KEY), None, "{file:?}");
        }
        // "*" stands for anything only as a whole field.
        assert_eq!(lookup("*x:*:*:*:p", KEY), None);
    }
}
