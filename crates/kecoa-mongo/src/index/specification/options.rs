//! The options of a specification: which there are, and what those hold that mean nothing here.

use ::bson::RawBsonRef;

use super::problems::{cannot, flag, wrong_type};
use crate::bson::number::Number;
use crate::error::{Code, Error};

/// The options that mean nothing here, or belong to kinds of index that are refused: their names, and what they hold.
const KEPT: &[(&str, Holds)] = &[
    ("2dsphereIndexVersion", Holds::Number),
    ("textIndexVersion", Holds::Number),
    ("weights", Holds::Weights),
    ("default_language", Holds::String),
    ("language_override", Holds::String),
    ("bits", Holds::Number),
    ("min", Holds::Number),
    ("max", Holds::Number),
    ("bucketSize", Holds::Anything),
    ("coarsestIndexedLevel", Holds::Number),
    ("finestIndexedLevel", Holds::Number),
    ("storageEngine", Holds::Engines),
    ("wildcardProjection", Holds::Anything),
    ("dropDups", Holds::Flag),
    ("originalSpec", Holds::Specification),
    ("clustered", Holds::Flag),
];

/// The options that are read one by one.
const READ: &[&str] = &[
    "key",
    "name",
    "unique",
    "sparse",
    "hidden",
    "background",
    "prepareUnique",
    "v",
    "ns",
    "expireAfterSeconds",
    "partialFilterExpression",
    "collation",
];

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Anything,
    Engines,
    Flag,
    Number,
    Specification,
    String,
    Weights,
}

/// Whether there is an option of this name.
pub(super) fn is_option(name: &str) -> bool {
    READ.contains(&name) || KEPT.iter().any(|(kept, _)| *kept == name)
}

/// Check an option that is kept.
pub(super) fn check_kept(name: &str, value: RawBsonRef<'_>) -> Result<(), Error> {
    let holds = KEPT.iter().find(|(kept, _)| *kept == name).map(|(_, holds)| *holds);
    let is_number = Number::from_bson(value).is_some();
    match (holds.unwrap_or(Holds::Anything), value) {
        (Holds::Anything, _) => Ok(()),
        (Holds::Flag, _) => flag(name, value).map(|_| ()),
        (Holds::Number, _) if is_number => Ok(()),
        (Holds::Number, _) => Err(wrong_type(name, "a number", value)),
        (Holds::String, RawBsonRef::String(_)) => Ok(()),
        (Holds::String, _) => Err(wrong_type(name, "a string", value)),
        (
            Holds::Weights,
            RawBsonRef::String(_) | RawBsonRef::Document(_) | RawBsonRef::Array(_),
        ) => Ok(()),
        (Holds::Weights, _) => Err(wrong_type(name, "an object", value)),
        (Holds::Specification, RawBsonRef::Document(document)) if document.is_empty() => Err(
            Error::new(Code::BAD_VALUE, format!("The field '{name}' cannot be an empty object.")),
        ),
        (Holds::Engines, RawBsonRef::Document(document)) if document.is_empty() => {
            Err(cannot("Empty \"storageEngine\" options are invalid: leave them out."))
        }
        (Holds::Specification | Holds::Engines, RawBsonRef::Document(_)) => Ok(()),
        (Holds::Specification, _) => Err(wrong_type(name, "an object", value)),
        (Holds::Engines, _) => Err(cannot("\"storageEngine\" options must be a document.")),
    }
}
