//! Values held to a schema.

use std::collections::HashSet;

use ::bson::spec::BinarySubtype;
use ::bson::{RawArray, RawBsonRef, RawDocument};

use super::schema::{Dependency, Fields, Items, Keyword, Limit, Others, Schema};
use super::{multiple, unordered};
use crate::bson::number::Number;
use crate::collation::Collator;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::query::comparison::{Comparison, ComparisonOperator};

impl Schema {
    /// Whether a value is as the schema says.
    ///
    /// # Errors
    ///
    /// 51156 for a regular expression that takes too many steps.
    pub fn accepts(&self, value: RawBsonRef<'_>, interrupt: &Interrupt) -> Result<bool, Error> {
        interrupt.check()?;
        for keyword in &self.keywords {
            if !keyword.accepts(value, interrupt)? {
                return Ok(false);
            }
        }
        match value {
            RawBsonRef::Document(document) => self.fields.accept(document, interrupt),
            RawBsonRef::Array(array) => self.items.accept(array, interrupt),
            _ => Ok(true),
        }
    }

    /// Whether a document is as the schema says.
    ///
    /// # Errors
    ///
    /// Those of [`accepts`](Self::accepts).
    pub fn accepts_document(
        &self,
        document: &RawDocument,
        interrupt: &Interrupt,
    ) -> Result<bool, Error> {
        self.accepts(RawBsonRef::Document(document), interrupt)
    }
}

impl Keyword {
    pub(in crate::query) fn accepts(
        &self,
        value: RawBsonRef<'_>,
        interrupt: &Interrupt,
    ) -> Result<bool, Error> {
        let all = |schemas: &[Schema]| -> Result<usize, Error> {
            let mut passed = 0;
            for schema in schemas {
                passed += usize::from(schema.accepts(value, interrupt)?);
            }
            Ok(passed)
        };
        Ok(match self {
            Self::Type { types, .. } => types.contains(value),
            Self::Enum { keys, .. } => keys.contains(&unordered::key(value)),
            Self::AllOf(schemas) => all(schemas)? == schemas.len(),
            Self::AnyOf(schemas) => all(schemas)? > 0,
            Self::OneOf(schemas) => all(schemas)? == 1,
            Self::Not(schema) => !schema.accepts(value, interrupt)?,
            Self::Encrypt => matches!(value, RawBsonRef::Binary(binary)
                if binary.subtype == BinarySubtype::Encrypted),
            _ => match value {
                RawBsonRef::Document(document) => self.accepts_fields(document, interrupt)?,
                RawBsonRef::Array(array) => self.accepts_array(array),
                RawBsonRef::String(text) => self.accepts_text(text, interrupt)?,
                value => match Number::from_bson(value) {
                    Some(number) => self.accepts_number(value, number),
                    None => true,
                },
            },
        })
    }

    fn accepts_fields(&self, document: &RawDocument, interrupt: &Interrupt) -> Result<bool, Error> {
        Ok(match self {
            Self::Required(names) => missing(names, document).next().is_none(),
            Self::MinProperties(least) => count(document.iter_elements()) >= *least,
            Self::MaxProperties(most) => count(document.iter_elements()) <= *most,
            Self::Dependencies(dependencies) => {
                for (name, dependency) in dependencies {
                    if has(document, name) && !dependency.accepts(document, interrupt)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => true,
        })
    }

    fn accepts_array(&self, array: &RawArray) -> bool {
        match self {
            Self::MinItems(least) => count(array.iter_elements()) >= *least,
            Self::MaxItems(most) => count(array.iter_elements()) <= *most,
            Self::UniqueItems => {
                let mut seen = HashSet::new();
                array
                    .into_iter()
                    .map_while(Result::ok)
                    .all(|element| seen.insert(unordered::key(element)))
            }
            _ => true,
        }
    }

    fn accepts_text(&self, text: &str, interrupt: &Interrupt) -> Result<bool, Error> {
        Ok(match self {
            Self::MinLength(least) => count(text.chars()) >= *least,
            Self::MaxLength(most) => count(text.chars()) <= *most,
            Self::Pattern(pattern) => pattern.is_match(text, interrupt)?,
            _ => true,
        })
    }

    fn accepts_number(&self, value: RawBsonRef<'_>, number: Number) -> bool {
        match self {
            Self::Limit(limit) => limit.accepts(value),
            Self::MultipleOf(of) => multiple::is_multiple(number, *of),
            _ => true,
        }
    }
}

impl Limit {
    fn accepts(&self, value: RawBsonRef<'_>) -> bool {
        let operator = match (self.is_minimum, self.exclusive) {
            (true, false) => ComparisonOperator::GreaterOrEqual,
            (true, true) => ComparisonOperator::Greater,
            (false, false) => ComparisonOperator::LessOrEqual,
            (false, true) => ComparisonOperator::Less,
        };
        let comparison = Comparison { operator, value: self.number.clone() };
        comparison.accepts(Some(value), &Collator::default())
    }
}

impl Dependency {
    pub(in crate::query) fn accepts(
        &self,
        document: &RawDocument,
        interrupt: &Interrupt,
    ) -> Result<bool, Error> {
        match self {
            Self::Fields(names) => Ok(missing(names, document).next().is_none()),
            Self::Schema(schema) => schema.accepts_document(document, interrupt),
        }
    }
}

impl Fields {
    fn accept(&self, document: &RawDocument, interrupt: &Interrupt) -> Result<bool, Error> {
        if self.named.is_empty() && self.patterns.is_empty() && self.others.is_none() {
            return Ok(true);
        }
        for (name, value) in document.iter().map_while(Result::ok) {
            let name = name.as_str();
            let mut known = false;
            if let Some((_, schema)) = self.places.get(name).and_then(|at| self.named.get(*at)) {
                known = true;
                if !schema.accepts(value, interrupt)? {
                    return Ok(false);
                }
            }
            for (pattern, schema) in &self.patterns {
                if pattern.is_match(name, interrupt)? {
                    known = true;
                    if !schema.accepts(value, interrupt)? {
                        return Ok(false);
                    }
                }
            }
            if !known && !accept_other(self.others.as_ref(), value, interrupt)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether another keyword than `additionalProperties` names a field.
    pub(in crate::query) fn names(&self, name: &str, interrupt: &Interrupt) -> Result<bool, Error> {
        if self.places.contains_key(name) {
            return Ok(true);
        }
        for (pattern, _) in &self.patterns {
            if pattern.is_match(name, interrupt)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Items {
    fn accept(&self, array: &RawArray, interrupt: &Interrupt) -> Result<bool, Error> {
        for (index, value) in array.into_iter().map_while(Result::ok).enumerate() {
            if !self.accept_at(index, value, interrupt)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(in crate::query) fn accept_at(
        &self,
        index: usize,
        value: RawBsonRef<'_>,
        interrupt: &Interrupt,
    ) -> Result<bool, Error> {
        match (&self.every, &self.each) {
            (Some(schema), _) => schema.accepts(value, interrupt),
            (None, Some(each)) => match each.get(index) {
                Some(schema) => schema.accepts(value, interrupt),
                None => accept_other(self.others.as_ref(), value, interrupt),
            },
            (None, None) => Ok(true),
        }
    }
}

pub(in crate::query) fn accept_other(
    others: Option<&Others>,
    value: RawBsonRef<'_>,
    interrupt: &Interrupt,
) -> Result<bool, Error> {
    match others {
        None | Some(Others::Allowed) => Ok(true),
        Some(Others::Refused) => Ok(false),
        Some(Others::Schema(schema)) => schema.accepts(value, interrupt),
    }
}

/// The names that a document does not have.
pub(in crate::query) fn missing<'n>(
    names: &'n [Box<str>],
    document: &RawDocument,
) -> impl Iterator<Item = &'n str> {
    let elements = document.iter_elements().map_while(Result::ok);
    let present: HashSet<&str> = elements.map(|element| element.key().as_str()).collect();
    names.iter().map(|name| &**name).filter(move |name| !present.contains(name))
}

fn has(document: &RawDocument, name: &str) -> bool {
    document.iter_elements().map_while(Result::ok).any(|element| element.key().as_str() == name)
}

fn count(items: impl Iterator) -> u64 {
    items.count().try_into().unwrap_or(u64::MAX)
}
