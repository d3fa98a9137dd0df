//! Every connection option there is: its name, its environment variable and what values it takes.
//!
//! Source: PostgreSQL's documentation, "Parameter Key Words" and "Environment Variables" of libpq.

use super::require_auth;
use super::secrets::{refuse_strange_text, shown, shown_port};
use super::suggestion::nearest_of;
use crate::error::Error;

/// One connection option.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// The environment variable that gives it when nothing else does.
    pub(crate) variable: Option<&'static str>,
    pub(crate) takes: Takes,
}

/// What values an option takes. An empty value stands for "not given" where libpq takes it; see [`Spec::takes_empty`].
#[derive(Debug)]
pub(crate) enum Takes {
    Text,
    /// Text that is never printed.
    Secret,
    Integer,
    /// An integer from one to the other.
    Between(i32, i32),
    /// A number of bytes, with a unit if it has one; see [`size`].
    Size,
    /// Authentication methods; see [`require_auth`].
    Methods,
    /// Ports, one or one for each host, separated by commas.
    Ports,
    OneOf(&'static [&'static str]),
    /// Values that are taken, values that are known but refused, and why they are refused.
    Refusing(&'static [&'static str], &'static [&'static str], &'static str),
    /// Known to libpq, not to kecoa; any value is refused with the reason.
    Never(&'static str),
}

/// Words that may be empty, as in libpq.
const EMPTY_WORDS: [&str; 5] = [
    "gssdelegation",
    "sslcompression",
    "sslsni",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
];

impl Spec {
    /// Whether the option may be empty. As in libpq a word or an integer may not: a variable that was
    /// meant to hold `verify-full`, and is empty, would make the connection one that verifies nothing.
    pub(crate) fn takes_empty(&self) -> bool {
        match self.takes {
            Takes::OneOf(_) | Takes::Refusing(..) => EMPTY_WORDS.contains(&self.name),
            Takes::Integer | Takes::Between(..) => false,
            _ => self.name != "service",
        }
    }
}

const fn text(name: &'static str, variable: Option<&'static str>) -> Spec {
    Spec { name, variable, takes: Takes::Text }
}

const fn spec(name: &'static str, variable: Option<&'static str>, takes: Takes) -> Spec {
    Spec { name, variable, takes }
}

const TLS_VERSIONS: &[&str] = &["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
const NO_SCRAM_KEYS: &str =
    "keys made from the password in advance are not taken; give the password instead";
const NO_OAUTH: &str = "OAuth is not supported";

/// The options, in the order in which libpq lists them.
pub(crate) static OPTIONS: &[Spec] = &[
    text("service", Some("PGSERVICE")),
    text("servicefile", Some("PGSERVICEFILE")),
    text("user", Some("PGUSER")),
    spec("password", Some("PGPASSWORD"), Takes::Secret),
    text("passfile", Some("PGPASSFILE")),
    spec(
        "channel_binding",
        Some("PGCHANNELBINDING"),
        Takes::OneOf(&["disable", "prefer", "require"]),
    ),
    spec("connect_timeout", Some("PGCONNECT_TIMEOUT"), Takes::Integer),
    text("dbname", Some("PGDATABASE")),
    text("host", Some("PGHOST")),
    text("hostaddr", Some("PGHOSTADDR")),
    spec("port", Some("PGPORT"), Takes::Ports),
    text("client_encoding", Some("PGCLIENTENCODING")),
    text("options", Some("PGOPTIONS")),
    text("application_name", Some("PGAPPNAME")),
    text("fallback_application_name", None),
    spec("keepalives", None, Takes::Integer),
    spec("keepalives_idle", None, Takes::Integer),
    spec("keepalives_interval", None, Takes::Integer),
    spec("keepalives_count", None, Takes::Integer),
    spec("tcp_user_timeout", None, Takes::Integer),
    spec(
        "sslmode",
        Some("PGSSLMODE"),
        Takes::OneOf(&["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
    ),
    spec("sslnegotiation", Some("PGSSLNEGOTIATION"), Takes::OneOf(&["postgres", "direct"])),
    spec("sslcompression", Some("PGSSLCOMPRESSION"), Takes::OneOf(&["0", "1"])),
    text("sslcert", Some("PGSSLCERT")),
    text("sslkey", Some("PGSSLKEY")),
    spec("sslcertmode", Some("PGSSLCERTMODE"), Takes::OneOf(&["disable", "allow", "require"])),
    spec("sslpassword", None, Takes::Secret),
    text("sslrootcert", Some("PGSSLROOTCERT")),
    text("sslcrl", Some("PGSSLCRL")),
    text("sslcrldir", Some("PGSSLCRLDIR")),
    spec("sslsni", Some("PGSSLSNI"), Takes::OneOf(&["0", "1"])),
    text("requirepeer", Some("PGREQUIREPEER")),
    spec("require_auth", Some("PGREQUIREAUTH"), Takes::Methods),
    spec("min_protocol_version", Some("PGMINPROTOCOLVERSION"), Takes::OneOf(PROTOCOLS)),
    spec("max_protocol_version", Some("PGMAXPROTOCOLVERSION"), Takes::OneOf(PROTOCOLS)),
    spec("ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION"), Takes::OneOf(TLS_VERSIONS)),
    spec(
        "ssl_max_protocol_version",
        Some("PGSSLMAXPROTOCOLVERSION"),
        Takes::Refusing(
            &["TLSv1.2", "TLSv1.3"],
            &["TLSv1", "TLSv1.1"],
            "TLS before 1.2 is not spoken; give TLSv1.2 or TLSv1.3",
        ),
    ),
    spec(
        "gssencmode",
        Some("PGGSSENCMODE"),
        Takes::Refusing(
            &["disable", "prefer"],
            &["require"],
            "GSSAPI encryption is not supported; use sslmode=verify-full",
        ),
    ),
    text("krbsrvname", Some("PGKRBSRVNAME")),
    text("gsslib", Some("PGGSSLIB")),
    spec("gssdelegation", Some("PGGSSDELEGATION"), Takes::OneOf(&["0", "1"])),
    text("replication", None),
    spec(
        "target_session_attrs",
        Some("PGTARGETSESSIONATTRS"),
        Takes::OneOf(&["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]),
    ),
    spec(
        "load_balance_hosts",
        Some("PGLOADBALANCEHOSTS"),
        Takes::OneOf(&["disable", "random", "round_robin"]),
    ),
    spec("scram_client_key", None, Takes::Never(NO_SCRAM_KEYS)),
    spec("scram_server_key", None, Takes::Never(NO_SCRAM_KEYS)),
    spec("oauth_issuer", None, Takes::Never(NO_OAUTH)),
    spec("oauth_client_id", None, Takes::Never(NO_OAUTH)),
    spec("oauth_client_secret", None, Takes::Never(NO_OAUTH)),
    spec("oauth_scope", None, Takes::Never(NO_OAUTH)),
    text("sslkeylogfile", None),
    // What follows is kecoa's own.
    spec("connect_total_timeout", None, Takes::Integer),
    spec("max_message_size", None, Takes::Size),
    spec("max_result_size", None, Takes::Size),
    spec("busy_poll", None, Takes::Between(0, 1_000)),
];

const PROTOCOLS: &[&str] = &["3.0", "3.2", "latest"];

/// Names that people try, and the option they mean.
const ALIASES: &[(&str, &str)] = &[
    ("database", "dbname"),
    ("db", "dbname"),
    ("username", "user"),
    ("usr", "user"),
    ("pwd", "password"),
    ("passwd", "password"),
    ("pass", "password"),
    ("timeout", "connect_timeout"),
    ("server", "host"),
    ("hostname", "host"),
    ("encoding", "client_encoding"),
    ("charset", "client_encoding"),
    ("appname", "application_name"),
    ("tls", "sslmode"),
    ("ssl", "sslmode"),
    ("ssl_ca", "sslrootcert"),
    ("sslca", "sslrootcert"),
    ("cluster", "options"),
];

/// The name that `sslmode` had before PostgreSQL 8.0, which libpq still takes.
pub(super) const OLD_SSL: &str = "requiressl";

/// What it means.
pub(super) fn old_ssl(value: &str) -> &'static str {
    if value.starts_with('1') { "require" } else { "prefer" }
}

/// The option of that name.
pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    OPTIONS.iter().find(|option| option.name == name)
}

/// Whether the value of `name` must never be printed.
pub(crate) fn is_secret(name: &str) -> bool {
    match find(name) {
        Some(option) => {
            matches!(option.takes, Takes::Secret)
                || matches!(name, "scram_client_key" | "scram_server_key" | "oauth_client_secret")
        }
        // An unknown name may be a misspelt "password".
        None => true,
    }
}

/// The known option that `name` was probably meant to be.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if let Some((_, option)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return Some(option);
    }
    nearest_of(&name, OPTIONS.iter().map(|option| option.name))
}

/// The error for a name that is no option, in libpq's words and with what was probably meant.
pub(crate) fn unknown(name: &str) -> Error {
    // A slip of a known name is no password, whatever it speaks of.
    Error::config(match nearest(name) {
        Some(nearest) => {
            format!("invalid connection option \"{name}\"\nHINT: did you mean \"{nearest}\"?")
        }
        None => format!("invalid connection option \"{}\"", shown(name)),
    })
}

/// Checks a value against what its option takes.
///
/// # Errors
///
/// [`crate::ErrorKind::Config`] in libpq's words where libpq has them.
pub(crate) fn check(option: &Spec, value: &str) -> Result<(), Error> {
    let name = option.name;
    if value.contains('\0') {
        return Err(Error::config(format!("the value of {name} contains a NUL character")));
    }
    if value.is_empty() && option.takes_empty() {
        return Ok(());
    }
    let shown = shown(value);
    let one_of = |known: &[&str]| {
        let nearest = nearest_of(value, known.iter().copied()).filter(|_| !value.is_empty());
        Error::config(match nearest.filter(|_| shown == value) {
            Some(nearest) => {
                format!("invalid {name} value: \"{shown}\"\nHINT: did you mean \"{nearest}\"?")
            }
            None => format!(
                "invalid {name} value: \"{shown}\"\nHINT: it is one of {}",
                known.join(", ")
            ),
        })
    };
    match &option.takes {
        Takes::Text if value.is_empty() => Err(Error::config(format!(
            "definition of {name} \"\" not found\nHINT: leave {name} out, or name one"
        ))),
        Takes::Text => refuse_strange_text(name, value),
        Takes::Secret => Ok(()),
        Takes::Integer => match value.trim().parse::<i32>() {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::config(format!(
                "invalid integer value \"{shown}\" for connection option \"{name}\""
            ))),
        },
        Takes::Between(least, most) => match value.trim().parse::<i32>() {
            Ok(number) if (*least..=*most).contains(&number) => Ok(()),
            _ => Err(Error::config(format!(
                "invalid {name} value: \"{shown}\"\nHINT: it is an integer from {least} to {most}"
            ))),
        },
        Takes::Size => match size(value) {
            Some(_) => Ok(()),
            None => Err(Error::config(format!(
                "invalid {name} value: \"{shown}\"\nHINT: it is a number of bytes, or a number with a \
                 unit (B, kB, MB, GB, TB); 0 for no limit"
            ))),
        },
        Takes::Methods => require_auth::parse(value).map(drop).map_err(Error::config),
        Takes::Ports => value.split(',').try_for_each(|port| check_port(name, port)),
        Takes::OneOf(known) if known.contains(&value) => Ok(()),
        Takes::OneOf(known) => Err(one_of(known)),
        Takes::Refusing(known, refused, why) => {
            if known.contains(&value) {
                Ok(())
            } else if refused.contains(&value) {
                Err(Error::config(format!("{name}={value} is refused: {why}")))
            } else {
                Err(one_of(known))
            }
        }
        Takes::Never(why) => {
            Err(Error::config(format!("the connection option \"{name}\" is refused: {why}")))
        }
    }
}

/// A number of bytes, as PostgreSQL's settings take it: `65536`, `64kB`, `10 MB`; a kB has 1024 bytes.
/// Nothing for what is none, or does not fit.
pub(crate) fn size(value: &str) -> Option<usize> {
    const UNITS: [(&str, u32); 6] =
        [("", 0), ("B", 0), ("kB", 10), ("MB", 20), ("GB", 30), ("TB", 40)];
    let value = value.trim();
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = value.split_at_checked(digits)?;
    let (_, power) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<usize>().ok()?.checked_mul(1_usize.checked_shl(*power)?)
}

fn check_port(name: &str, port: &str) -> Result<(), Error> {
    let port = port.trim();
    if port.is_empty() {
        return Ok(());
    }
    let shown = shown_port(port);
    match port.parse::<i64>() {
        Ok(1..=65535) => Ok(()),
        Ok(_) => Err(Error::config(format!(
            "invalid port number: \"{shown}\"\nHINT: a port is a number from 1 to 65535"
        ))),
        Err(_) => Err(Error::config(format!(
            "invalid integer value \"{shown}\" for connection option \"{name}\"\n\
             HINT: a port is a number from 1 to 65535; in a URL it is what follows the host's \":\""
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_was_meant() {
        assert_eq!(nearest("pasword"), Some("password"));
        assert_eq!(nearest("database"), Some("dbname"));
        assert_eq!(nearest("SSLMode"), Some("sslmode"));
        assert_eq!(nearest("conect_timeout"), Some("connect_timeout"));
        assert_eq!(nearest("application"), Some("application_name"));
        assert_eq!(nearest("connect"), None, "two begin like that");
        assert_eq!(nearest("foo"), None);
        assert_eq!(nearest(""), None);
    }

    #[test]
    fn lists_each_option_once() {
        for (i, option) in OPTIONS.iter().enumerate() {
            assert!(OPTIONS[i + 1..].iter().all(|other| other.name != option.name));
        }
    }

    #[test]
    fn sizes_have_the_units_of_the_server() {
        for (text, bytes) in
            [("0", 0), ("65536", 65_536), ("64kB", 65_536), (" 10 MB ", 10 << 20), ("1GB", 1 << 30)]
        {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for wrong in ["", "MB", "-1", "1.5GB", "10mb", "1 MiB", "99999999999TB", "1 2"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
        assert!(check(find("busy_poll").unwrap(), "0").is_ok());
        let error = check(find("busy_poll").unwrap(), "1001").unwrap_err().to_string();
        assert_eq!(
            error,
            "invalid busy_poll value: \"1001\"\nHINT: it is an integer from 0 to 1000"
        );
        let error = check(find("max_result_size").unwrap(), "10mb").unwrap_err().to_string();
        assert!(error.contains("max_result_size") && error.contains("10mb"), "{error}");
        assert!(error.contains("kB, MB, GB"), "{error}");
    }

    #[test]
    fn refuses_with_the_reason() {
        let refused = |name, value| check(find(name).unwrap(), value).unwrap_err().to_string();
        assert!(refused("gssencmode", "require").contains("GSSAPI"));
        assert!(refused("channel_binding", "yes").contains("disable, prefer, require"));
        assert!(refused("sslmode", "on").contains("invalid sslmode value: \"on\""));
        assert!(refused("oauth_scope", "x").contains("OAuth"));
        assert!(check(find("oauth_scope").unwrap(), "").is_ok());
        assert!(check(find("port").unwrap(), "5432,,26257").is_ok());
        assert!(refused("port", "0").starts_with("invalid port number: \"0\"\nHINT: "));
        let meant = "invalid sslmode value: \"Requre\"\nHINT: did you mean \"require\"?";
        assert_eq!(refused("sslmode", "Requre"), meant);
        let text = refused("port", "x");
        assert!(
            text.starts_with("invalid integer value \"…\" for connection option \"port\""),
            "{text}"
        );
    }
}
