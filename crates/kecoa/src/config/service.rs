//! The service file: `[name]` sections of `option=value` lines.
//!
//! Source: PostgreSQL's documentation, "The Connection Service File" of libpq.

use std::path::Path;

use super::options;
use crate::error::Error;

/// The pairs of a section, or nothing when the file has no such section.
///
/// # Errors
///
/// [`crate::ErrorKind::Config`] for a line of that section that cannot be read; it names the file,
/// which is `path`, and the line.
pub(super) fn section(
    file: &[u8],
    name: &str,
    path: &Path,
) -> Result<Option<Vec<(String, String)>>, Error> {
    let mut found = None;
    for (number, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(section) = line.strip_prefix(b"[") {
            if found.is_some() {
                break;
            }
            if section.strip_suffix(b"]") == Some(name.as_bytes()) {
                found = Some(Vec::new());
            }
            continue;
        }
        // What is not asked for may be anything.
        let Some(pairs) = &mut found else { continue };
        let wrong = |what: &str| {
            let (path, line) = (path.display(), number + 1);
            Error::config(format!("syntax error in service file \"{path}\", line {line}: {what}"))
        };
        let line =
            std::str::from_utf8(line).map_err(|_| wrong("expected UTF-8, found other bytes"))?;
        let (key, value) =
            line.split_once('=').ok_or_else(|| wrong("expected \"option=value\""))?;
        // As libpq, which takes no blanks before the "=", and those behind it for a part of the value.
        let (key, value) = match key.trim_end() {
            trimmed if trimmed.len() < key.len() => (trimmed, value.trim_start()),
            _ => (key, value),
        };
        let option = options::find(key).ok_or_else(|| wrong(&options::unknown(key).to_string()))?;
        if option.name == "service" {
            return Err(Error::config(format!(
                "nested service specifications not supported in service file \"{}\", line {}",
                path.display(),
                number + 1
            )));
        }
        pairs.push((option.name.to_owned(), value.to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_section() {
        let text = "# x\n[a]\nhost=one\n[b]\n host = two \nport=26257\n\n[c]\nnonsense\n";
        let section = |text: &str, name| section(text.as_bytes(), name, Path::new("/services"));
        let pairs = section(text, "b").unwrap().unwrap();
        assert_eq!(pairs, [("host".into(), "two".into()), ("port".into(), "26257".into())]);
        assert_eq!(section(text, "d").unwrap(), None);
        let pairs = section("[a]\npassword= x y \n", "a").unwrap().unwrap();
        assert_eq!(pairs, [("password".into(), " x y".into())]);
        let error = section(text, "c").unwrap_err().to_string();
        assert_eq!(
            error,
            "syntax error in service file \"/services\", line 9: expected \"option=value\""
        );
        let latin = |name| super::section(b"[a]\nhost=\xe9\n[b]\nhost=x", name, Path::new("/s"));
        assert_eq!(
            latin("a").unwrap_err().to_string(),
            "syntax error in service file \"/s\", line 2: expected UTF-8, found other bytes"
        );
        assert_eq!(latin("b").unwrap().unwrap().len(), 1);
        let error = section("[a]\nservice=b", "a").unwrap_err().to_string();
        assert!(error.contains("nested service"), "{error}");
        let error = section("[a]\nhots=b", "a").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("did you mean \"host\"?"), "{error}");
    }
}
