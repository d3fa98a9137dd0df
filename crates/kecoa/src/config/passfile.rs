//! The password file: lines `host:port:dbname:user:password`, each of the first four may be `*`.
//!
//! Source: PostgreSQL's documentation, "The Password File" of libpq. A file is bytes: nothing in it need
//! be UTF-8, and a password is sent as it stands there.

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

/// What is in the file, or nothing when there is none or it may not be used; a notice then says why.
pub(super) fn read(path: &Path, notices: &mut Vec<String>) -> Option<Vec<u8>> {
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
        Ok(bytes) => Some(bytes),
        Err(error) => {
            notices.push(format!("could not read password file \"{shown}\": {error}"));
            None
        }
    }
}

/// The password of the first line that fits, which counts also when it is empty: none is sent then, and
/// no line below says otherwise.
pub(super) fn lookup(file: &[u8], key: Key<'_>) -> Option<Vec<u8>> {
    let port = key.port.to_string();
    let wanted = [key.host, &port, key.dbname, key.user];
    let lines = file.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
    let password = lines.map(without_returns).find_map(|line| {
        let rest = wanted.iter().try_fold(line, |rest, wanted| field(rest, wanted.as_bytes()))?;
        Some(unescape(rest))
    });
    password.filter(|password| !password.is_empty())
}

fn without_returns(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1);
    line.get(..end).unwrap_or_default()
}

/// Gives back what follows the field if it is `*` or equals `wanted`; a backslash takes the next byte
/// as it is.
fn field<'a>(line: &'a [u8], mut wanted: &[u8]) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let mut rest = line;
    loop {
        let (byte, after) = rest.split_first()?;
        if *byte == b':' && wanted.is_empty() {
            return Some(after);
        }
        let (byte, after) = if *byte == b'\\' { after.split_first()? } else { (byte, after) };
        let (expected, others) = wanted.split_first()?;
        if byte != expected {
            return None;
        }
        (rest, wanted) = (after, others);
    }
}

/// A password: what comes before the next colon that is not escaped.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut password = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b':' => break,
            // At the end it stands for itself.
            b'\\' => password.push(*bytes.next().unwrap_or(byte)),
            byte => password.push(*byte),
        }
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key<'_> = Key { host: "db.example", port: 5432, dbname: "bank", user: "maya" };

    fn found(file: &[u8], key: Key<'_>) -> Option<String> {
        lookup(file, key).map(|password| password.escape_ascii().to_string())
    }

    #[test]
    fn finds_the_first_line_that_fits() {
        let file = b"# a comment\n\
                    other:5432:bank:maya:no\n\
                    db.example:26257:bank:maya:no\n\
                    db.example:5432:bank:maya:first\n\
                    *:*:*:*:second\n";
        assert_eq!(found(file, KEY).as_deref(), Some("first"));
        let key = Key { user: "else", ..KEY };
        assert_eq!(found(file, key).as_deref(), Some("second"));
    }

    #[test]
    fn takes_escapes() {
        let file = b"\\:\\:1:5432:b\\\\c:ma\\:ya:p\\:w\\\\d:x\r\n";
        let key = Key { host: "::1", port: 5432, dbname: "b\\c", user: "ma:ya" };
        assert_eq!(found(file, key).as_deref(), Some("p:w\\\\d"), "nothing behind a colon");
        assert_eq!(found(b"*:*:*:*:a\\", KEY).as_deref(), Some("a\\\\"));
    }

    #[test]
    fn an_empty_password_keeps_it_from_the_lines_below() {
        assert_eq!(found(b"db.example:5432:bank:maya:\n*:*:*:*:second\n", KEY), None);
        assert_eq!(found(b"db.example:*:*:*::x\n*:*:*:*:second\n", KEY), None);
    }

    #[test]
    fn a_password_is_bytes() {
        assert_eq!(lookup(b"*:*:*:*:p\xe4ss\n", KEY).as_deref(), Some(&b"p\xe4ss"[..]));
        assert_eq!(lookup(b"\xff\n*:*:*:*:x", KEY).as_deref(), Some(&b"x"[..]));
    }

    #[test]
    fn passes_over_what_does_not_fit() {
        for file in ["", "*", "*:*:*:*", "*:*:*:*:", "db.example:5432:bank:maya", "::::x", "*:*:*"]
        {
            assert_eq!(found(file.as_bytes(), KEY), None, "{file:?}");
        }
        // "*" stands for anything only as a whole field.
        assert_eq!(found(b"*x:*:*:*:p", KEY), None);
    }
}
