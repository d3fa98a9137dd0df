//! The history: a file that only its user can read, without passwords.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kecoa_sql::{TokenKind, lex};

/// How many entries are kept.
pub(crate) const LIMIT: usize = 5000;

/// Where it is: `$KECOA_HISTORY`, or `kecoa/sql_history` in the user's state directory. An empty
/// `$KECOA_HISTORY` is none.
pub(crate) fn path() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("KECOA_HISTORY") {
        return (!path.is_empty()).then(|| PathBuf::from(path));
    }
    let filled = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = filled("XDG_STATE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| filled("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("kecoa").join("sql_history"))
}

/// Whether what was typed may hold a password: it is not kept then.
pub(crate) fn is_secret(entry: &str) -> bool {
    let is_url = |text: &str| text.contains("://") && text.contains('@');
    if is_url(entry) {
        return true;
    }
    // A connection string within a string: `CONNECTION 'host=db password=x'`.
    let lower = entry.to_ascii_lowercase();
    let is_value = |word: &str| {
        let mut behind = lower.split(word).skip(1);
        behind.any(|text| text.trim_start().starts_with('='))
    };
    if is_value("password") || is_value("passwd") {
        return true;
    }
    if entry.trim_start().starts_with('\\') {
        return lower.contains("password");
    }
    // A string somewhere behind the word: `PASSWORD = 'x'`, `WITH ENCRYPTED PASSWORD 'x'`.
    let mut after_word = false;
    for token in lex(entry.as_bytes(), false) {
        let text = entry.get(token.start..token.end).unwrap_or_default().to_ascii_lowercase();
        match token.kind {
            TokenKind::Word | TokenKind::QuotedIdentifier => {
                after_word |=
                    ["password", "passwd", "secret", "identified", "credential", "access_key"]
                        .iter()
                        .any(|word| text.contains(word));
            }
            TokenKind::String
            | TokenKind::EscapeString
            | TokenKind::DollarString
            | TokenKind::Unfinished
                if after_word =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// The entries of the file, oldest first; none where there is no file.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn load(path: &Path) -> io::Result<Vec<String>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8_lossy(&text);
    let mut entries: Vec<String> =
        text.lines().filter(|line| !line.is_empty()).map(unescaped).collect();
    let excess = entries.len().saturating_sub(LIMIT);
    entries.drain(..excess);
    Ok(entries)
}

/// Adds an entry to the file, unless it may hold a password.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn append(path: &Path, entry: &str) -> io::Result<()> {
    if is_secret(entry) || entry.trim().is_empty() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    // A file that was there before may be open to others.
    let permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    // One write, so that shells side by side do not mix their lines.
    file.write_all(format!("{}\n", escaped(entry)).as_bytes())
}

/// Leaves the newest entries in the file, once it has grown far beyond the limit.
///
/// # Errors
/// The file cannot be read or written.
pub(crate) fn shorten(path: &Path, entries: &[String]) -> io::Result<()> {
    let grown = match fs::read(path) {
        Ok(text) => text.iter().filter(|byte| **byte == b'\n').count() > 2 * LIMIT,
        Err(_) => false,
    };
    if !grown {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    for entry in entries {
        writeln!(file, "{}", escaped(entry))?;
    }
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// An entry as one line.
fn escaped(entry: &str) -> String {
    entry.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescaped(line: &str) -> String {
    let mut entry = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => entry.push('\n'),
                Some('r') => entry.push('\r'),
                Some(other) => entry.push(other),
                None => entry.push('\\'),
            },
            other => entry.push(other),
        }
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_kept() {
        for entry in [
            "CREATE USER maya PASSWORD 'hunter2';",
            "create user maya with encrypted password 'hunter2'",
            "ALTER ROLE maya\nWITH LOGIN PASSWORD E'hunter2'",
            "ALTER USER maya PASSWORD = 'hunter2'",
            "ALTER USER maya PASSWORD 'hunter2",
            "\\c postgresql://maya:hunter2@db/bank",
            "\\c host=db password=hunter2",
            "BACKUP INTO 's3://b?AWS_SECRET_ACCESS_KEY=x' WITH secret_key = 'y'",
            "create subscription s connection 'host=db password=hunter2' publication p",
            "SELECT dblink_connect('host=db sslpassword = hunter2')",
            "SELECT dblink_connect($$host=db PASSWORD=hunter2$$)",
            "CREATE USER MAPPING FOR x SERVER y OPTIONS (user 'u', password 'hunter2')",
        ] {
            assert!(is_secret(entry), "{entry}");
        }
        for entry in [
            "SELECT 'x'",
            "SELECT password FROM users",
            "DROP USER maya",
            "\\d passengers",
            "SELECT '@'",
        ] {
            assert!(!is_secret(entry), "{entry}");
        }
    }

    #[test]
    fn the_file_is_private_and_keeps_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state/kecoa/sql_history");
        assert_eq!(load(&path).expect("no file is no error"), Vec::<String>::new());
        append(&path, "SELECT\n'a\\n';").expect("written");
        append(&path, "CREATE USER maya PASSWORD 'hunter2';").expect("passed over");
        append(&path, "SELECT 2;").expect("written");
        assert_eq!(load(&path).expect("read"), ["SELECT\n'a\\n';", "SELECT 2;"]);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("a folder")), 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("opened");
        append(&path, "SELECT 3;").expect("written");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_file_far_too_long_is_shortened() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("h");
        fs::write(&path, "SELECT 1;\n".repeat(2 * LIMIT + 1)).expect("written");
        let entries = load(&path).expect("read");
        assert_eq!(entries.len(), LIMIT);
        shorten(&path, &entries).expect("shortened");
        assert_eq!(fs::read_to_string(&path).expect("read").lines().count(), LIMIT);
    }
}
