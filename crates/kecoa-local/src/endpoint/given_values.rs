//! The values of variables that a client gives as it connects.

use std::borrow::Cow;

use bytes::Bytes;
use kecoa_proto::message::startup_options;

use super::backend::{self, Opened, Refused};
use super::replies::Fields;
use crate::dialect::quote::quote;
use crate::dialect::{shared_values, variables};

/// An argument of `options`: `-c name=value`, `-cname=value`, `--name=value`, or another.
pub(super) struct Argument<'a> {
    /// Its words, as they were written.
    pub parts: Vec<&'a str>,
    /// The variable; nothing of another argument.
    pub name: String,
    pub value: String,
}

/// Takes `options` apart.
pub(super) fn arguments(text: &str) -> Vec<Argument<'_>> {
    let mut words = startup_options::split(text).into_iter();
    let mut arguments = Vec::new();
    while let Some(word) = words.next() {
        let (assignment, parts) = if word == "-c" {
            match words.next() {
                Some(next) => (next, vec![word, next]),
                None => ("", vec![word]),
            }
        } else {
            let inner = word.strip_prefix("--").or_else(|| word.strip_prefix("-c"));
            (inner.unwrap_or_default(), vec![word])
        };
        let assignment: Cow<'_, str> = startup_options::unescape(assignment).into();
        let (name, value) = assignment.split_once('=').unwrap_or((&assignment, ""));
        let (name, value) = (name.replace('-', "_").to_ascii_lowercase(), value.to_owned());
        arguments.push(Argument { parts, name, value });
    }
    arguments
}

/// Refuses a client that gives PostgreSQL's variables values which CockroachDB does not take, unless
/// `kecoa_strict` is off in its session.
pub(super) async fn check(
    opened: &mut Opened,
    parameters: &[(Bytes, Bytes)],
) -> Result<(), Fields> {
    let Some(refusal) = refusal(parameters) else { return Ok(()) };
    let strict = quote(&variables::option_name("kecoa_strict"));
    let sql = format!("SELECT pg_catalog.current_setting({strict}, true)");
    let rows = backend::internal_query(&mut opened.backend, sql.as_bytes())
        .await
        .map_err(|error| Refused::Io(error).into_fields())??;
    let value = rows.first().and_then(|row| row.first()?.as_deref());
    match value.and_then(variables::boolean) {
        Some(false) => Ok(()),
        _ => Err(Fields::own("FATAL", refusal.code, &refusal.message)),
    }
}

fn refusal(parameters: &[(Bytes, Bytes)]) -> Option<crate::dialect::plan::Refusal> {
    parameters.iter().find_map(|(name, value)| {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let value = String::from_utf8_lossy(value);
        if name == "options" {
            let mut given = arguments(&value).into_iter();
            return given.find_map(|given| shared_values::refusal(&given.name, &given.value));
        }
        shared_values::refusal(&name, &value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cluster_refuses() {
        for (name, value, code) in [
            ("options", "-c standard_conforming_strings=off", Some("22023")),
            ("options", "--DateStyle=German -c search_path=a", Some("0A000")),
            ("options", r"-cdatestyle=ISO,\ DMY --cluster=x", None),
            ("options", "-c", None),
            ("DateStyle", "SQL", Some("0A000")),
            ("DateStyle", "ISO", None),
            ("application_name", "off", None),
        ] {
            let given =
                [(Bytes::from_static(name.as_bytes()), Bytes::from_static(value.as_bytes()))];
            assert_eq!(refusal(&given).map(|refusal| refusal.code), code, "{name} {value}");
        }
    }
}
