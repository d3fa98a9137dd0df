//! `createIndexes`' specifications, and what may be wrong with them.

mod options;
mod pattern;
mod problems;

use ::bson::raw::{CString, cstr};
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use options::{check_kept, is_option};
use pattern::{check_pattern, fields, is_id, is_plain_id};
use problems::{cannot, flag, wrong_type};

use super::definition::{Field, FieldKind, ID_NAME, Index, Partial};
use super::shell_text::text;
use crate::bson::number::{Number, whole};
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::type_name;

/// The options that `_id`'s index may have.
const ID_OPTIONS: [&str; 7] = ["key", "name", "v", "ns", "collation", "clustered", "hidden"];

impl Index {
    /// Read an element of `createIndexes`' `indexes`, of a collection whose strings compare by `collator`. It has no
    /// number yet.
    ///
    /// # Errors
    ///
    /// 2, 9, 14, 67, 197, 16764, 31303 and others: what is wrong with it. 238 for kinds that are not there yet.
    pub fn parse(specification: &RawDocument, collator: &Collator) -> Result<Self, Error> {
        let given = Given::read(specification).map_err(|error| {
            error.within(&format!(
                "Error in specification {}",
                text(RawBsonRef::Document(specification))
            ))
        })?;
        given.into_index(specification, collator)
    }

    /// A specification without the options that nobody knows.
    #[must_use]
    pub fn known_options(specification: &RawDocument) -> RawDocumentBuf {
        let mut known = RawDocumentBuf::new();
        for (name, value) in specification.iter().filter_map(Result::ok) {
            if is_option(name.as_str()) {
                known.append(name, value);
            }
        }
        known
    }
}

/// The options as they were given.
#[derive(Default)]
struct Given<'a> {
    key: Option<&'a RawDocument>,
    name: Option<&'a str>,
    unique: bool,
    prepares_unique: bool,
    sparse: bool,
    hidden: bool,
    expire_after_seconds: Option<i64>,
    partial: Option<&'a RawDocument>,
    collation: Option<&'a RawDocument>,
    /// All others, but for those that say nothing.
    others: Vec<(&'a str, RawBsonRef<'a>)>,
}

impl<'a> Given<'a> {
    fn read(specification: &'a RawDocument) -> Result<Self, Error> {
        let mut given = Self::default();
        let names = specification.iter().filter_map(Result::ok).map(|(name, _)| name.as_str());
        if let Some(name) = { names }.find(|name| !is_option(name)) {
            return Err(Error::new(
                Code::INVALID_INDEX_SPECIFICATION_OPTION,
                format!(
                    "The field '{name}' is not valid for an index specification. Specification: {}",
                    text(RawBsonRef::Document(specification))
                ),
            ));
        }
        for field in specification.iter() {
            let (name, value) =
                field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
            given.option(name.as_str(), value, specification)?;
        }
        let missing = |name| {
            Error::new(
                Code::FAILED_TO_PARSE,
                format!("The '{name}' field is a required property of an index specification"),
            )
        };
        if given.key.is_none() {
            return Err(missing("key"));
        }
        if given.name.is_none() {
            return Err(missing("name"));
        }
        Ok(given)
    }

    fn option(
        &mut self,
        name: &'a str,
        value: RawBsonRef<'a>,
        specification: &RawDocument,
    ) -> Result<(), Error> {
        match name {
            "key" => {
                let key = object(name, value)?;
                check_pattern(key)?;
                self.key = Some(key);
            }
            // Kept from versions that are gone.
            "ns" => {}
            "name" => match value {
                RawBsonRef::String(text) => self.name = Some(text),
                _ => return Err(wrong_type(name, "a string", value)),
            },
            "unique" => self.unique = flag(name, value)?,
            "sparse" => self.sparse = flag(name, value)?,
            "hidden" => match value {
                RawBsonRef::Boolean(hidden) => self.hidden = hidden,
                _ => return Err(wrong_type(name, "a bool", value)),
            },
            // It changes nothing, and is shown as it was given.
            "background" => {
                flag(name, value)?;
                self.others.push((name, value));
            }
            "prepareUnique" => self.prepares_unique = flag(name, value)?,
            "v" => version(value)?,
            "expireAfterSeconds" => {
                self.expire_after_seconds = Some(seconds(value, specification)?)
            }
            "partialFilterExpression" => self.partial = Some(object(name, value)?),
            "collation" => {
                let collation = object(name, value)?;
                if collation.is_empty() {
                    return Err(Error::new(
                        Code::BAD_VALUE,
                        "The field 'collation' cannot be an empty object.",
                    ));
                }
                self.collation = Some(collation);
            }
            _ => {
                check_kept(name, value)?;
                self.others.push((name, value));
            }
        }
        Ok(())
    }

    fn into_index(self, specification: &RawDocument, default: &Collator) -> Result<Index, Error> {
        let empty = RawDocumentBuf::new();
        let pattern = self.key.unwrap_or(&empty);
        let fields = fields(pattern)?;
        let name = self.name.unwrap_or_default();
        let collator = match self.collation {
            Some(collation) => Collator::parse(collation)?,
            None => default.clone(),
        };
        let is_id = is_id(pattern);
        if is_id && !is_plain_id(pattern) {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!(
                    "The field 'key' for an _id index must be {{_id: 1}}, but got {}",
                    text(RawBsonRef::Document(pattern))
                ),
            ));
        }
        self.check(name, pattern, specification, &fields, is_id)?;
        if is_id && self.collation.is_some() && collator != *default {
            return Err(Error::new(
                Code::BAD_VALUE,
                "The _id index must have the same collation as the collection.",
            ));
        }
        if is_id {
            return Ok(Index::of_id(default));
        }
        let mut index = Index {
            number: 0,
            name: name.to_owned(),
            fields,
            unique: self.unique,
            prepares_unique: self.prepares_unique,
            sparse: self.sparse,
            hidden: self.hidden,
            multikey: false,
            building: false,
            expire_after_seconds: self.expire_after_seconds,
            partial: match self.partial {
                Some(filter) => Some(Partial::parse(filter, &collator)?),
                None => None,
            },
            collator,
            specification: RawDocumentBuf::new(),
        };
        index.specification = self.shown(&index, pattern);
        Ok(index)
    }

    /// The definition as `listIndexes` shows it.
    fn shown(&self, index: &Index, pattern: &RawDocument) -> RawDocumentBuf {
        let mut shown = RawDocumentBuf::new();
        shown.append(cstr!("v"), 2);
        shown.append(cstr!("key"), pattern);
        shown.append(cstr!("name"), &*index.name);
        if self.unique {
            shown.append(cstr!("unique"), true);
        }
        if self.prepares_unique {
            shown.append(cstr!("prepareUnique"), true);
        }
        if self.sparse {
            shown.append(cstr!("sparse"), true);
        }
        if self.hidden {
            shown.append(cstr!("hidden"), true);
        }
        if let Some(seconds) = self.expire_after_seconds {
            match i32::try_from(seconds) {
                Ok(seconds) => shown.append(cstr!("expireAfterSeconds"), seconds),
                Err(_) => shown.append(cstr!("expireAfterSeconds"), seconds),
            }
        }
        if let Some(partial) = self.partial {
            shown.append(cstr!("partialFilterExpression"), partial);
        }
        if !index.collator.is_simple() {
            shown.append(cstr!("collation"), index.collator.to_document());
        }
        for (name, value) in &self.others {
            if let Ok(name) = CString::try_from(*name) {
                shown.append(name, *value);
            }
        }
        shown
    }

    fn check(
        &self,
        name: &str,
        pattern: &RawDocument,
        specification: &RawDocument,
        fields: &[Field],
        is_id: bool,
    ) -> Result<(), Error> {
        let shown = || text(RawBsonRef::Document(specification));
        if name.is_empty() {
            return Err(cannot("index names cannot be empty"));
        }
        if name == "*" {
            return Err(Error::new(Code::BAD_VALUE, "The index name '*' is not valid."));
        }
        if name == ID_NAME && !is_id {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!(
                    "The index name '_id_' is reserved for the _id index, which must have key pattern {{_id: 1}}, \
                     found key: {}",
                    text(RawBsonRef::Document(pattern))
                ),
            ));
        }
        if is_id {
            let names = specification.iter().filter_map(Result::ok).map(|(name, _)| name.as_str());
            if let Some(name) = { names }.find(|name| !ID_OPTIONS.contains(name)) {
                return Err(Error::new(
                    Code::INVALID_INDEX_SPECIFICATION_OPTION,
                    format!(
                        "The field '{name}' is not valid for an _id index specification. Specification: {}",
                        shown()
                    ),
                ));
            }
        }
        if is_id && matches!(specification.get("hidden"), Ok(Some(_))) {
            return Err(Error::new(Code::BAD_VALUE, "can't hide _id index"));
        }
        if self.unique && self.prepares_unique {
            return Err(cannot(
                "cannot create an index with the 'unique' option and the 'prepareUnique' option",
            ));
        }
        if self.others.iter().any(|(name, _)| *name == "weights") {
            return Err(cannot("the field 'weights' can only be specified with text indexes"));
        }
        if self.sparse && self.partial.is_some() {
            return Err(cannot("cannot mix \"partialFilterExpression\" and \"sparse\" options"));
        }
        if self.expire_after_seconds.is_some() && fields.len() > 1 {
            return Err(cannot(&format!(
                "TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: {}",
                shown()
            )));
        }
        let hashed = fields.iter().filter(|field| field.kind == FieldKind::Hashed).count();
        if hashed > 1 {
            return Err(Error::location(
                31303,
                format!(
                    "A maximum of one index field is allowed to be hashed but found {hashed} for 'key' {}",
                    text(RawBsonRef::Document(pattern))
                ),
            ));
        }
        if hashed > 0 && self.unique {
            return Err(Error::location(
                16764,
                "Currently hashed indexes cannot guarantee uniqueness. Use a regular index.",
            ));
        }
        if self.others.iter().any(|(name, _)| *name == "wildcardProjection") {
            return Err(Error::new(
                Code::BAD_VALUE,
                "The field 'wildcardProjection' is only allowed in a wildcard index",
            ));
        }
        Ok(())
    }
}

fn version(value: RawBsonRef<'_>) -> Result<(), Error> {
    let Some(number) = Number::from_bson(value) else {
        return Err(wrong_type("v", "a number", value));
    };
    let is_short = whole(value)
        .and_then(|cut| i32::try_from(cut).ok())
        .is_some_and(|cut| Number::Int32(cut) == number);
    if !is_short {
        return Err(Error::new(
            Code::BAD_VALUE,
            format!(
                "Index version must be representable as a 32-bit integer, but got {}",
                text(value)
            ),
        ));
    }
    if number == Number::Int32(1) || number == Number::Int32(2) {
        return Ok(());
    }
    Err(cannot(&format!(
        "Invalid index specification: the server does not support creating indexes with version {}",
        text(value)
    )))
}

fn seconds(value: RawBsonRef<'_>, specification: &RawDocument) -> Result<i64, Error> {
    let shown = || text(RawBsonRef::Document(specification));
    let Some(number) = Number::from_bson(value) else {
        return Err(cannot(&format!(
            "TTL index 'expireAfterSeconds' option must be numeric, but received a type of '{}'. Index spec: {}",
            type_name(Some(value)),
            shown()
        )));
    };
    if number < Number::Int32(0) {
        return Err(cannot(&format!(
            "TTL index 'expireAfterSeconds' option cannot be less than 0. Index spec: {}",
            shown()
        )));
    }
    if number > Number::Int32(i32::MAX) {
        return Err(cannot(&format!(
            "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than {}. \
             Index spec: {}",
            text(value),
            shown()
        )));
    }
    // What is behind the point does not count.
    Ok(whole(value).unwrap_or(0))
}

fn object<'a>(name: &str, value: RawBsonRef<'a>) -> Result<&'a RawDocument, Error> {
    match value {
        RawBsonRef::Document(document) => Ok(document),
        _ => Err(wrong_type(name, "an object", value)),
    }
}
