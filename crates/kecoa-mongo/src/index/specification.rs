//! `createIndexes`' specifications, and what may be wrong with them.

use ::bson::raw::{CString, cstr};
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use super::definition::{Field, FieldKind, ID_NAME, Index, MAX_FIELDS, Partial};
use super::shell_text::text;
use crate::bson::key::Direction;
use crate::bson::number::Number;
use crate::bson::path::Path;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::type_name;

/// The options that are kept and mean nothing here, or belong to kinds of index that are refused.
const KEPT: [&str; 17] = [
    "2dsphereIndexVersion",
    "textIndexVersion",
    "weights",
    "default_language",
    "language_override",
    "bits",
    "min",
    "max",
    "bucketSize",
    "coarsestIndexedLevel",
    "finestIndexedLevel",
    "storageEngine",
    "wildcardProjection",
    "dropDups",
    "ns",
    "originalSpec",
    "clustered",
];

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
}

/// The options as they were given.
#[derive(Default)]
struct Given<'a> {
    key: Option<&'a RawDocument>,
    name: Option<&'a str>,
    unique: bool,
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
            "key" => self.key = Some(object(name, value)?),
            "name" => match value {
                RawBsonRef::String(text) => self.name = Some(text),
                _ => return Err(wrong_type(name, "a string", value)),
            },
            "unique" => self.unique = flag(name, value)?,
            "sparse" => self.sparse = flag(name, value)?,
            "hidden" => self.hidden = flag(name, value)?,
            // It changes nothing, and is shown as it was given.
            "background" => {
                flag(name, value)?;
                self.others.push((name, value));
            }
            "prepareUnique" => {
                flag(name, value)?;
            }
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
            _ if KEPT.contains(&name) => self.others.push((name, value)),
            _ => {
                return Err(Error::new(
                    Code::INVALID_INDEX_SPECIFICATION_OPTION,
                    format!(
                        "The field '{name}' is not valid for an index specification. Specification: {}",
                        text(RawBsonRef::Document(specification))
                    ),
                ));
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
            if self.hidden {
                return Err(Error::new(Code::BAD_VALUE, "can't hide _id index"));
            }
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

/// Whether it is `_id`'s own.
fn is_id(pattern: &RawDocument) -> bool {
    let mut fields = pattern.iter().filter_map(Result::ok);
    let first = fields.next();
    let is_one = |value| Number::from_bson(value).is_some_and(|number| number == Number::Int32(1));
    fields.next().is_none()
        && first.is_some_and(|(name, value)| name.as_str() == "_id" && is_one(value))
}

fn fields(pattern: &RawDocument) -> Result<Vec<Field>, Error> {
    let mut fields: Vec<Field> = Vec::new();
    for field in pattern.iter() {
        let (name, value) =
            field.map_err(|error| Error::new(Code::INVALID_BSON, error.to_string()))?;
        let name = name.as_str();
        let kind = kind(value)?;
        check_name(name)?;
        if fields.len() == MAX_FIELDS {
            return Err(cannot(&format!(
                "Index key pattern {} has more than {MAX_FIELDS} fields",
                text(RawBsonRef::Document(pattern))
            )));
        }
        if fields.iter().any(|field| field.name == name) {
            return Err(Error::new(
                Code::BAD_VALUE,
                format!("The field '{name}' appears multiple times in the index key pattern"),
            ));
        }
        let path = Path::parse(name).map_err(|error| cannot(&error.to_string()))?;
        fields.push(Field { name: name.to_owned(), path, kind });
    }
    if fields.is_empty() {
        return Err(cannot("Index keys cannot be an empty object."));
    }
    Ok(fields)
}

fn check_name(name: &str) -> Result<(), Error> {
    if name == "$**" || name.ends_with(".$**") {
        return Err(Error::new(
            Code::NOT_IMPLEMENTED,
            "wildcard indexes ($**) are not implemented",
        ));
    }
    for part in name.split('.') {
        if part.is_empty() {
            return Err(cannot("Index keys cannot contain an empty field."));
        }
        if part.starts_with('$') && !matches!(part, "$id" | "$ref" | "$db") {
            return Err(cannot(
                "Index key contains an illegal field name: field name starts with '$'.",
            ));
        }
    }
    Ok(())
}

fn kind(value: RawBsonRef<'_>) -> Result<FieldKind, Error> {
    if let Some(number) = Number::from_bson(value) {
        let zero = Number::Int32(0);
        if let RawBsonRef::Double(number) = value
            && number.is_nan()
        {
            return Err(cannot("Values in the index key pattern cannot be NaN."));
        }
        return match number.cmp(&zero) {
            std::cmp::Ordering::Equal => {
                Err(cannot("Values in the index key pattern cannot be 0."))
            }
            std::cmp::Ordering::Greater => Ok(FieldKind::Ordered(Direction::Ascending)),
            std::cmp::Ordering::Less => Ok(FieldKind::Ordered(Direction::Descending)),
        };
    }
    match value {
        RawBsonRef::String("") => {
            Err(cannot("Values in the index key pattern cannot be empty strings."))
        }
        RawBsonRef::String("hashed") => Ok(FieldKind::Hashed),
        RawBsonRef::String(plugin @ ("text" | "2dsphere" | "2d")) => Err(Error::new(
            Code::NOT_IMPLEMENTED,
            format!("indexes of kind '{plugin}' are not implemented"),
        )),
        RawBsonRef::String(plugin) => Err(cannot(&format!("Unknown index plugin '{plugin}'"))),
        _ => Err(cannot(&format!(
            "Values in v:2 index key pattern cannot be of type {}. Only numbers > 0, numbers < 0, and strings are \
             allowed.",
            type_name(Some(value))
        ))),
    }
}

fn version(value: RawBsonRef<'_>) -> Result<(), Error> {
    let Some(number) = Number::from_bson(value) else {
        return Err(wrong_type("v", "a number", value));
    };
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
    // Between 0 and the largest int: what is behind the point does not count.
    Ok(match number {
        Number::Int32(number) => i64::from(number),
        Number::Int64(number) => number,
        Number::Double(_) | Number::Decimal(_) => whole(number),
    })
}

/// The whole part of a number from 0 to the largest int, by halving.
fn whole(number: Number) -> i64 {
    let (mut low, mut high) = (0_i32, i32::MAX);
    while low < high {
        let middle = low + (high - low) / 2 + (high - low) % 2;
        if number < Number::Int32(middle) {
            high = middle - 1;
        } else {
            low = middle;
        }
    }
    i64::from(low)
}

fn object<'a>(name: &str, value: RawBsonRef<'a>) -> Result<&'a RawDocument, Error> {
    match value {
        RawBsonRef::Document(document) => Ok(document),
        _ => Err(wrong_type(name, "an object", value)),
    }
}

/// A bool, or a number.
fn flag(name: &str, value: RawBsonRef<'_>) -> Result<bool, Error> {
    match value {
        RawBsonRef::Boolean(value) => Ok(value),
        _ => match Number::from_bson(value) {
            Some(number) => Ok(number != Number::Int32(0)),
            None => Err(Error::new(
                Code::TYPE_MISMATCH,
                format!(
                    "The field '{name}' has value {name}: {}, which is not convertible to bool",
                    text(value)
                ),
            )),
        },
    }
}

fn wrong_type(name: &str, expected: &str, found: RawBsonRef<'_>) -> Error {
    Error::new(
        Code::TYPE_MISMATCH,
        format!("The field '{name}' must be {expected}, but got {}", type_name(Some(found))),
    )
}

fn cannot(message: &str) -> Error {
    Error::new(Code::CANNOT_CREATE_INDEX, message)
}
