//! What of a connection string may stand in a message.
//!
//! A string that is written wrongly is taken apart wrongly, and any part of it may then be a password or
//! a piece of one. So a part is shown only where it cannot be: a word of letters and digits that does not
//! speak of passwords, and that does not follow one.

use crate::error::Error;

/// What stands in the place of what is not shown.
pub(super) const HIDDEN: &str = "…";

/// The longest word that is shown, in bytes.
const LIMIT: usize = 40;

/// Words by which passwords are introduced, in lower case.
const INTRODUCTIONS: [&str; 3] = ["pass", "pasw", "pwd"];

/// A part for a message, or what stands for it.
pub(super) fn shown(text: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let is_open = text.len() <= LIMIT && text.bytes().all(is_plain) && !speaks_of_passwords(text);
    if is_open { text } else { HIDDEN }
}

/// A port for a message. In a URL what is between a ":" and a "/" is a port, also where it was meant as a
/// password: only what can be nothing else is shown.
pub(super) fn shown_port(text: &str) -> &str {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_open = (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if is_open { text } else { HIDDEN }
}

/// Whether a text speaks of passwords: what follows it may be one.
pub(super) fn speaks_of_passwords(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    INTRODUCTIONS.iter().any(|word| lower.contains(word))
}

/// What other options, or a whole connection string, look like within a value.
fn holds_another_option(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_url = lower.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
    let introduces = |word: &str| {
        lower.match_indices(word).any(|(at, _)| {
            let rest = lower.get(at..).unwrap_or_default();
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            rest.trim_start().starts_with(['=', ':'])
        })
    };
    is_url || INTRODUCTIONS.iter().any(|word| introduces(word))
}

/// Refuses a value that is sure to be something else and may hold a password: it would be sent to the
/// server, or looked up as a host, and come back in a message.
pub(super) fn refuse_strange_text(name: &str, value: &str) -> Result<(), Error> {
    // Settings of the server may be named anything, and are not repeated.
    if name == "options" {
        return Ok(());
    }
    if holds_another_option(value) {
        return Err(Error::config(format!(
            "the value of {name} holds another option or a whole connection string\n\
             HINT: options are separated by spaces, as in host=localhost dbname=bank; a connection \
             string is given as a whole"
        )));
    }
    if name != "host" {
        return Ok(());
    }
    // A path, or a socket without one, may have any name.
    let mut hosts = value.split(',').map(str::trim).filter(|host| !host.starts_with(['/', '@']));
    if hosts.any(|host| host.contains(['@', '=', ';'])) {
        return Err(Error::config(
            "expected a host name or an address, found one with \"@\", \"=\" or \";\" in it\n\
             HINT: in a URL, write \"@\" in the user name and the password as %40, \"/\" as %2F, \
             \":\" as %3A; options are separated by spaces",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_words_only() {
        for word in ["foo", "Host", "ssl_mode", "verify-full", "3.0"] {
            assert_eq!(shown(word), word);
        }
        for other in ["a:b", "a@b", "password", "PGPASSWORD", "a b", "\u{e9}", "x=y", "my_pwd"] {
            assert_eq!(shown(other), HIDDEN, "{other}");
        }
        assert_eq!(shown(&"x".repeat(41)), HIDDEN);
        assert_eq!((shown_port("70000"), shown_port("-1")), ("70000", "-1"));
        assert_eq!((shown_port("hunter2"), shown_port("123456")), (HIDDEN, HIDDEN));
    }

    #[test]
    fn tells_values_from_options() {
        let refused = |name, value| refuse_strange_text(name, value).is_err();
        for value in
            ["x;password=y", "x, passwd = y", "x;PWD=y", "postgres://u:p@h/d", "x password: y"]
        {
            assert!(refused("dbname", value) && refused("user", value), "{value}");
            assert!(!refused("options", value), "{value}");
        }
        for value in ["a@b", "u:p@h", "h;x", "a,b@c"] {
            assert!(refused("host", value), "{value}");
            assert!(!refused("user", value), "{value}");
        }
        for value in ["/tmp/a@b=c", "@abstract", "::1", "a,b", "fe80::1%eth0", "passport", "h"] {
            assert!(!refused("host", value), "{value}");
        }
        assert!(!refused("sslkey", "/etc/passwords/key"));
    }
}
