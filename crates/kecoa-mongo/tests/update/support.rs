//! Runs cases, and tells all that failed.

use bson::{DateTime, RawBsonRef, RawDocumentBuf, Timestamp};
use kecoa_mongo::error::Error;
use kecoa_mongo::expression::{Scope, Variables};
use kecoa_mongo::query::Filter;
use kecoa_mongo::update::{Applied, Options, Update};

use crate::json;

/// A document, an update, and what comes of it: a document, `=` for no change, `!14` for an error.
pub(crate) type Case<'c> = (&'c str, &'c str, &'c str);

/// A value of every type, as text, and the name of its type.
pub(crate) const SAMPLES: [(&str, &str); 33] = [
    ("min", "minKey"),
    ("undefined", "undefined"),
    ("null", "null"),
    ("5", "int"),
    ("-2147483648", "int"),
    ("2147483647", "int"),
    ("long(5)", "long"),
    ("long(9223372036854775807)", "long"),
    ("long(-9223372036854775808)", "long"),
    ("2.5", "double"),
    ("-0.0", "double"),
    ("nan", "double"),
    ("inf", "double"),
    ("dec(\"1.50\")", "decimal"),
    ("dec(\"NaN\")", "decimal"),
    ("sym(\"s\")", "symbol"),
    ("\"\"", "string"),
    ("\"abc\"", "string"),
    ("{}", "object"),
    ("{b: 1, c: 2}", "object"),
    ("[]", "array"),
    ("[1, 2]", "array"),
    ("[[1], {b: 1}, null]", "array"),
    ("bin(0, \"ab\")", "binData"),
    ("oid(1)", "objectId"),
    ("false", "bool"),
    ("date(1000)", "date"),
    ("ts(1, 2)", "timestamp"),
    ("re(\"a\", \"i\")", "regex"),
    ("ptr(\"n\")", "dbPointer"),
    ("code(\"f\")", "javascript"),
    ("scoped(\"f\", {x: 1})", "javascriptWithScope"),
    ("max", "maxKey"),
];

pub(crate) fn variables() -> Variables {
    Variables::new(DateTime::from_millis(777), Timestamp { time: 8, increment: 9 })
}

/// The document after the update.
pub(crate) fn apply(
    document: &str,
    update: &str,
    filters: Option<&str>,
    position: Option<usize>,
) -> Result<Applied, Error> {
    let update = json::value(update);
    let filters = filters.map(json::value);
    let filters = filters.as_ref().map(|filters| filters.get_array("").unwrap());
    let update = Update::parse(
        update.get("").unwrap().unwrap(),
        filters,
        Options::default(),
        &Scope::new(),
    )?;
    update.apply(&json::document(document), position, &variables())
}

/// The document that an upsert inserts.
pub(crate) fn upsert(filter: &str, update: &str) -> Result<RawDocumentBuf, Error> {
    let update = json::value(update);
    let scope = Scope::new();
    let update = Update::parse(value(&update), None, Options::default(), &scope)?;
    update.upsert(&Filter::parse(&json::document(filter), &scope)?, &variables())
}

pub(crate) fn value(document: &RawDocumentBuf) -> RawBsonRef<'_> {
    document.get("").unwrap().unwrap()
}

/// What is wrong with an outcome.
pub(crate) fn difference(found: Result<Applied, Error>, expected: &str) -> Option<String> {
    match (found, expected) {
        (Err(error), _) => {
            let code = expected.strip_prefix('!').map(|code| code.parse::<i32>().unwrap());
            (code != Some(error.code().number())).then(|| format!("{error}"))
        }
        (Ok(Applied::Unchanged), "=") => None,
        (Ok(Applied::Unchanged), _) => Some("unchanged".to_owned()),
        (Ok(Applied::Changed(found)), _) => {
            if expected.starts_with(['!', '=']) {
                return Some(format!("{found:?} {:?}", show(&found)));
            }
            let wanted = json::document(expected);
            (wanted.as_bytes() != found.as_bytes()).then(|| show(&found))
        }
    }
}

pub(crate) fn show(document: &RawDocumentBuf) -> String {
    format!("{:?}", document.iter().collect::<Vec<_>>())
}

/// Run cases without array filters. Returns how many there were.
pub(crate) fn check(cases: &[Case<'_>]) -> usize {
    let failures = cases.iter().filter_map(|(document, update, expected)| {
        let difference = difference(apply(document, update, None, None), expected)?;
        Some(format!("{document} {update}\n  expected {expected}\n  found    {difference}"))
    });
    let failures: Vec<_> = failures.collect();
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
    cases.len()
}

/// Run cases that were made.
pub(crate) fn check_made(cases: &[(String, String, String)]) -> usize {
    let cases: Vec<Case<'_>> = cases
        .iter()
        .map(|(document, update, expected)| (&**document, &**update, &**expected))
        .collect();
    check(&cases)
}

/// The message of the error.
pub(crate) fn message(document: &str, update: &str) -> String {
    match apply(document, update, None, None) {
        Err(error) => error.message().to_owned(),
        Ok(applied) => panic!("no error: {applied:?}"),
    }
}
