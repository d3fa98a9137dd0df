//! What a schema is made of.

use std::collections::{HashMap, HashSet};

use ::bson::RawBson;

use crate::bson::key::Key;
use crate::bson::number::Number;
use crate::query::pattern::Pattern;
use crate::query::type_set::TypeSet;

/// A schema that values are held to.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub(in crate::query) title: Option<Box<str>>,
    pub(in crate::query) description: Option<Box<str>>,
    pub(in crate::query) keywords: Vec<Keyword>,
    pub(in crate::query) fields: Fields,
    pub(in crate::query) items: Items,
}

/// A keyword that stands for itself.
#[derive(Clone, Debug)]
pub(in crate::query) enum Keyword {
    /// `type` or `bsonType`.
    Type {
        name: &'static str,
        types: TypeSet,
        argument: RawBson,
    },
    Required(Vec<Box<str>>),
    Dependencies(Vec<(Box<str>, Dependency)>),
    Limit(Limit),
    MultipleOf(Number),
    MinLength(u64),
    MaxLength(u64),
    MinItems(u64),
    MaxItems(u64),
    MinProperties(u64),
    MaxProperties(u64),
    UniqueItems,
    Pattern(Pattern),
    Enum {
        values: RawBson,
        keys: HashSet<Key>,
    },
    AllOf(Vec<Schema>),
    AnyOf(Vec<Schema>),
    OneOf(Vec<Schema>),
    Not(Box<Schema>),
    /// `encrypt`: a client encrypted the value.
    Encrypt,
}

/// The least or the greatest number.
#[derive(Clone, Debug)]
pub(in crate::query) struct Limit {
    pub(in crate::query) is_minimum: bool,
    pub(in crate::query) exclusive: bool,
    pub(in crate::query) number: RawBson,
}

/// What the presence of a field asks for.
#[derive(Clone, Debug)]
pub(in crate::query) enum Dependency {
    /// Other fields.
    Fields(Vec<Box<str>>),
    /// A schema of the whole document.
    Schema(Schema),
}

/// `properties`, `patternProperties`, `additionalProperties`.
#[derive(Clone, Debug, Default)]
pub(in crate::query) struct Fields {
    /// In their order.
    pub(in crate::query) named: Vec<(Box<str>, Schema)>,
    /// Where a name is among them.
    pub(in crate::query) places: HashMap<Box<str>, usize>,
    pub(in crate::query) patterns: Vec<(Pattern, Schema)>,
    pub(in crate::query) others: Option<Others>,
}

/// `items`, `additionalItems`.
#[derive(Clone, Debug, Default)]
pub(in crate::query) struct Items {
    /// Of every element.
    pub(in crate::query) every: Option<Box<Schema>>,
    /// Of the first, the second and so on.
    pub(in crate::query) each: Option<Vec<Schema>>,
    /// Of those behind.
    pub(in crate::query) others: Option<Others>,
}

/// What is asked of fields or elements that no other keyword names.
#[derive(Clone, Debug)]
pub(in crate::query) enum Others {
    /// `true`
    Allowed,
    /// `false`
    Refused,
    /// A schema.
    Schema(Box<Schema>),
}
