//! Values that PostgreSQL takes for its own variables and CockroachDB does not.

use super::plan::Refusal;
use super::variables::boolean;

/// The error for a value that a cluster refuses.
pub(super) fn refusal(variable: &str, value: &str) -> Option<Refusal> {
    let value = value.trim();
    let is = |known: &str| value.eq_ignore_ascii_case(known);
    let available = match variable {
        _ if is("default") => return None,
        "standard_conforming_strings" if boolean(value) == Some(false) => "on",
        "backslash_quote" if !is("safe_encoding") => "safe_encoding",
        "default_tablespace" if !value.is_empty() => "''",
        "default_table_access_method" if !is("heap") => "heap",
        "intervalstyle" if is("postgres_verbose") => "postgres,iso_8601,sql_standard",
        "xmloption" if !is("content") => "content",
        "datestyle" if !is_iso(value) => {
            let message = format!("unimplemented: only ISO style is supported, found {value:?}");
            return Some(Refusal { hint: hint("ISO"), ..Refusal::new("0A000", message) });
        }
        _ => return None,
    };
    let message = format!("invalid value for parameter \"{variable}\": {value:?}");
    Some(Refusal { hint: hint(available), ..Refusal::new("22023", message) })
}

fn hint(available: &str) -> String {
    format!("Available values: {available}; SET kecoa_strict = off passes it on to PostgreSQL")
}

/// `ISO`, `MDY`, `ISO, DMY`: the style of dates, and the order of their parts.
fn is_iso(value: &str) -> bool {
    const PARTS: [&str; 9] =
        ["", "iso", "mdy", "dmy", "ymd", "us", "euro", "european", "noneuropean"];
    let known = |part: &str| PARTS.iter().any(|known| part.eq_ignore_ascii_case(known));
    value.split([',', ' ']).all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cluster_takes() {
        for (variable, value, refused) in [
            ("standard_conforming_strings", "off", true),
            ("standard_conforming_strings", "false", true),
            ("standard_conforming_strings", "on", false),
            ("datestyle", "ISO, DMY", false),
            ("datestyle", "German", true),
            ("datestyle", "SQL, MDY", true),
            ("intervalstyle", "iso_8601", false),
            ("intervalstyle", "postgres_verbose", true),
            ("backslash_quote", "DEFAULT", false),
            ("backslash_quote", "on", true),
            ("search_path", "off", false),
        ] {
            assert_eq!(refusal(variable, value).is_some(), refused, "{variable} = {value}");
        }
    }
}
