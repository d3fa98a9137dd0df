//! The service file: `[name]` sections of `option=value` lines.
//!
//! Source: PostgreSQL's documentation, "The Connection Service File" of libpq.

use super::options;
use crate::error::Error;

/// The pairs of a section, or nothing when the text has no such section.
///
/// # Errors
///
/// [`crate::ErrorKind::Config`] for a line of that section that cannot be read; it names the line.
pub(super) fn section(text: &str, name: &str) -> Result<Option<Vec<(String, String)>>, Error> {
    let mut found = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if section.strip_suffix(']') == Some(name) {
                found = Some(Vec::new());
            }
            continue;
        }
        let Some(pairs) = &mut found else { continue };
        let wrong =
            |what: &str| Error::config(format!("line {} of the service file: {what}", number + 1));
        let (key, value) =
            line.split_once('=').ok_or_else(|| wrong("expected \"option=value\""))?;
        let option = options::find(key.trim_end()).ok_or_else(|| {
            wrong(&format!("invalid connection option \"{}\"", options::shorten(key)))
        })?;
        if option.name == "service" {
            return Err(wrong("a service cannot name another service"));
        }
        pairs.push((option.name.to_owned(), value.trim_start().to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_section() {
        let text = "# x\n[a]\nhost=one\n[b]\n host = two \nport=26257\n\n[c]\nnonsense\n";
        let pairs = section(text, "b").unwrap().unwrap();
        assert_eq!(pairs, [("host".into(), "two".into()), ("port".into(), "26257".into())]);
        assert_eq!(section(text, "d").unwrap(), None);
        let error = section(text, "c").unwrap_err().to_string();
        assert!(error.contains("line 9") && error.contains("option=value"), "{error}");
    }
}
