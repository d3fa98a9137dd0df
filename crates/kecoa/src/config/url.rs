//! Connection URLs: `postgresql://user:password@host:port,host:port/dbname?option=value&…`.
//!
//! Read as libpq reads them. A message about a URL never repeats it whole, because it may hold a
//! password that is written wrongly, which is what such messages are about.

use super::options::{self, OLD_SSL, old_ssl};
use super::secrets::{HIDDEN, shown, speaks_of_passwords};
use crate::error::Error;

/// What follows `postgresql://` or `postgres://`, if the text is a URL.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    // psycopg2 and libpq would take " postgresql://" for a keyword; nobody means that.
    let text = text.trim_ascii();
    ["postgresql://", "postgres://"].iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// The scheme of a URL, `mysql://` for instance, of a sort that is not read; `Some(None)` where it may be
/// something else, and is not to be shown.
pub(super) fn foreign_scheme(text: &str) -> Option<Option<&str>> {
    let end = text.find("//")?;
    let (scheme, _) = text.split_at_checked(end + 2)?;
    let name = scheme.trim_end_matches('/');
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | ':' | '_');
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(is_letter) {
        return None;
    }
    // Without its colon only a name that is known is sure to be one.
    let word = name.strip_prefix("jdbc:").unwrap_or(name);
    let is_shown = match word.strip_suffix(':') {
        Some(word) => {
            shown(word.split('+').next().unwrap_or_default()) != HIDDEN && !word.contains(':')
        }
        None => word.starts_with("postgres") && !word.contains(':'),
    };
    Some(is_shown.then_some(scheme))
}

/// Reads what follows the scheme.
pub(super) fn parse(rest: &str) -> Result<Vec<(String, String)>, Error> {
    let mut pairs = Pairs(Vec::new());
    let rest = pairs.user_info(rest)?;
    let rest = pairs.hosts(rest)?;
    let (database, query) = match rest.split_once('?') {
        Some((database, query)) => (database, query),
        None => (rest, ""),
    };
    pairs.store_unless_empty("dbname", database.strip_prefix('/').unwrap_or(database))?;
    // Where an "@" comes behind the host, all of it may be the end of a password.
    let is_open = !rest.contains('@') && !speaks_of_passwords(rest);
    let mut query = query;
    while !query.is_empty() {
        let (parameter, others) = query.split_once('&').unwrap_or((query, ""));
        pairs.parameter(parameter, is_open)?;
        query = others;
    }
    Ok(pairs.0)
}

/// Refuses what is hardly meant so: a second "@" behind the first, which makes the end of a password the
/// host or the database, or a "/" in a password, which ends the user information early.
pub(super) fn refuse_misread(rest: &str) -> Result<(), Error> {
    let at = rest.find(['@', '/']).filter(|at| rest.get(*at..).is_some_and(|r| r.starts_with('@')));
    let hosts = at.and_then(|at| rest.get(at + 1..)).unwrap_or(rest);
    let before_query = hosts.split('?').next().unwrap_or_default();
    // The options of a URL, whose last one is a password with an "@" in it.
    let info = at.and_then(|at| rest.get(..at)).unwrap_or_default();
    let is_query = info.split_once('?').is_some_and(|(host, options)| {
        !host.contains(':') || speaks_of_passwords(options) && options.contains('=')
    });
    if !before_query.contains('@') && !is_query {
        return Ok(());
    }
    let what = match at {
        _ if is_query => "found a \"?\" before \"@\" in URI",
        Some(_) => "found a second \"@\" in URI",
        None => "found no host in URI: the part before \"@\" holds a \"/\"",
    };
    Err(Error::config(format!(
        "{what}\n\
         HINT: in the user name and the password write \"/\" as %2F, \"@\" as %40, \":\" as %3A; in the \
         name of a host or a database \"@\" as %40"
    )))
}

struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn store(&mut self, name: &'static str, encoded: &str) -> Result<(), Error> {
        let value = decode(name, encoded)?;
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    fn store_unless_empty(&mut self, name: &'static str, encoded: &str) -> Result<(), Error> {
        if encoded.is_empty() { Ok(()) } else { self.store(name, encoded) }
    }

    /// As libpq: user information is there if a "@" comes before the first "/".
    fn user_info<'a>(&mut self, rest: &'a str) -> Result<&'a str, Error> {
        let Some(end) = rest.find(['@', '/']) else { return Ok(rest) };
        let (info, after) = rest.split_at(end);
        let Some(after) = after.strip_prefix('@') else { return Ok(rest) };
        let (user, password) = info.split_once(':').unwrap_or((info, ""));
        self.store_unless_empty("user", user)?;
        self.store_unless_empty("password", password)?;
        Ok(after)
    }

    /// Hosts and ports become two lists separated by commas. Gives back what follows: nothing, or
    /// what starts with "/" or "?".
    fn hosts<'a>(&mut self, mut rest: &'a str) -> Result<&'a str, Error> {
        let (mut hosts, mut ports) = (String::new(), String::new());
        loop {
            let (host, after) = host(rest)?;
            hosts.push_str(host);
            rest = after;
            if let Some(after) = rest.strip_prefix(':') {
                let end = after.find(['/', '?', ',']).unwrap_or(after.len());
                let (port, after) = after.split_at(end);
                ports.push_str(port);
                rest = after;
            }
            match rest.strip_prefix(',') {
                Some(after) => rest = after,
                None => break,
            }
            hosts.push(',');
            ports.push(',');
        }
        self.store_unless_empty("host", &hosts)?;
        self.store_unless_empty("port", &ports)?;
        Ok(rest)
    }

    /// One option of the query, whose name may be shown when it is `open`.
    fn parameter(&mut self, parameter: &str, is_open: bool) -> Result<(), Error> {
        let mut parts = parameter.split('=');
        let name = decode("an option", parts.next().unwrap_or_default())?;
        let shown = match () {
            () if options::find(&name).is_some() => &name,
            () if is_open => shown(&name),
            () => HIDDEN,
        };
        let Some(value) = parts.next() else {
            return Err(Error::config(format!(
                "missing key/value separator \"=\" in URI query parameter: \"{shown}\""
            )));
        };
        if parts.next().is_some() {
            return Err(Error::config(format!(
                "extra key/value separator \"=\" in URI query parameter: \"{shown}\"\n\
                 HINT: a \"=\" inside a value is written %3D"
            )));
        }
        // JDBC's way to say it, which libpq takes as well.
        if name == "ssl" && decode("ssl", value)? == "true" {
            return self.store("sslmode", "require");
        }
        if name == OLD_SSL {
            return self.store("sslmode", old_ssl(&decode(OLD_SSL, value)?));
        }
        match (options::find(&name), options::nearest(&name)) {
            (Some(option), _) => self.store(option.name, value),
            // A slip of a known name is no password, whatever it speaks of.
            (None, Some(nearest)) => Err(Error::config(format!(
                "invalid URI query parameter: \"{}\"\nHINT: did you mean \"{nearest}\"?",
                if is_open { &name } else { HIDDEN }
            ))),
            (None, None) => Err(Error::config(format!("invalid URI query parameter: \"{shown}\""))),
        }
    }
}

/// One host, its brackets removed, and what follows it.
fn host(rest: &str) -> Result<(&str, &str), Error> {
    let Some(inside) = rest.strip_prefix('[') else {
        let end = rest.find([':', '/', '?', ',']).unwrap_or(rest.len());
        return Ok(rest.split_at(end));
    };
    let Some((address, after)) = inside.split_once(']') else {
        return Err(Error::config(
            "end of string reached when looking for matching \"]\" in IPv6 host address in URI",
        ));
    };
    if address.is_empty() {
        return Err(Error::config("IPv6 host address may not be empty in URI"));
    }
    match after.chars().next() {
        None | Some(':' | '/' | '?' | ',') => Ok((address, after)),
        Some(_) => {
            Err(Error::config("unexpected character after \"]\" in URI (expected \":\" or \"/\")"))
        }
    }
}

/// Replaces %XX. `name` is what the value is for: it is named instead of shown.
fn decode(name: &str, encoded: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let decoded = match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => u8::try_from(high * 16 + low).ok(),
            _ => None,
        };
        match decoded {
            Some(0) => {
                return Err(Error::config(format!(
                    "forbidden value %00 in percent-encoded value of {name}"
                )));
            }
            Some(byte) => bytes.push(byte),
            None => {
                return Err(Error::config(format!(
                    "invalid percent-encoded token in the value of {name}\n\
                     HINT: \"%\" is followed by two hexadecimal digits; a \"%\" itself is %25"
                )));
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        Error::config(format!("expected percent-encoded UTF-8 in the value of {name}"))
    })
}
