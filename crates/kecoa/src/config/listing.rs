//! The options as a list, for programs that show or complete them, and for the documents.

use super::options::{self, Takes};

/// A connection option: what it takes, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionInfo {
    /// Its name in connection strings.
    pub name: &'static str,
    /// The environment variable that gives it when nothing else does.
    pub variable: Option<&'static str>,
    /// What values it takes.
    pub values: Values,
    /// What counts when it is not given, where that is one word; else see the documentation.
    pub default: Option<&'static str>,
    /// Whether it does what libpq's option of that name does.
    pub support: Support,
    /// Whether libpq has no option of that name.
    pub own: bool,
}

/// What values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Values {
    /// Any text.
    Text,
    /// Any text; it is never printed.
    Secret,
    /// An integer.
    Integer,
    /// A number of bytes, with a unit or without.
    Size,
    /// A port, or one for each host.
    Ports,
    /// Authentication methods, allowed or forbidden.
    Methods,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// Whether an option does what libpq's does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Support {
    /// It does.
    Whole,
    /// It is taken and changes nothing, for this reason.
    WithoutEffect(&'static str),
    /// These values are refused, for this reason.
    InPart(&'static [&'static str], &'static str),
    /// Any value is refused, for this reason.
    Refused(&'static str),
}

const NO_GSSAPI: &str = "GSSAPI is not spoken";

/// All options, in libpq's order; kecoa's own come last.
pub fn options() -> impl Iterator<Item = OptionInfo> {
    let own = options::OPTIONS.iter().position(|option| option.name == "connect_total_timeout");
    options::OPTIONS.iter().enumerate().map(move |(at, option)| {
        let (values, support) = match &option.takes {
            Takes::Text => (Values::Text, Support::Whole),
            Takes::Secret => (Values::Secret, Support::Whole),
            Takes::Integer | Takes::Between(..) => (Values::Integer, Support::Whole),
            Takes::Size => (Values::Size, Support::Whole),
            Takes::Ports => (Values::Ports, Support::Whole),
            Takes::Methods => (Values::Methods, Support::Whole),
            Takes::OneOf(words) => (Values::Words(words), Support::Whole),
            Takes::Refusing(words, refused, why) => {
                (Values::Words(words), Support::InPart(refused, why))
            }
            Takes::Never(why) => (Values::Text, Support::Refused(why)),
        };
        OptionInfo {
            name: option.name,
            variable: option.variable,
            values,
            default: default(option.name),
            support: without_effect(option.name).map_or(support, Support::WithoutEffect),
            own: own.is_some_and(|own| at >= own),
        }
    })
}

/// Why an option that is taken changes nothing.
fn without_effect(name: &str) -> Option<&'static str> {
    match name {
        "sslcompression" => Some("TLS compression is not safe, and no server has it any more"),
        "krbsrvname" | "gsslib" | "gssdelegation" => Some(NO_GSSAPI),
        _ => None,
    }
}

fn default(name: &str) -> Option<&'static str> {
    Some(match name {
        "channel_binding" | "sslmode" => "prefer",
        "port" => "5432",
        "client_encoding" => "UTF8",
        "keepalives" | "sslsni" => "1",
        "sslnegotiation" => "postgres",
        "sslcompression" | "gssdelegation" => "0",
        "sslcertmode" => "allow",
        "min_protocol_version" | "max_protocol_version" => "3.0",
        "ssl_min_protocol_version" => "TLSv1.2",
        "gssencmode" | "load_balance_hosts" => "disable",
        "target_session_attrs" => "any",
        "max_message_size" => "1 GB",
        "busy_poll" => "50",
        _ => return None,
    })
}
