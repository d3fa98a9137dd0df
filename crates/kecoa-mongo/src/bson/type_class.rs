//! Classes of types, in the order in which MongoDB sorts them.

use ::bson::RawBsonRef;
use ::bson::spec::ElementType;

/// What a value is compared as. Values of different classes compare by the class alone.
///
/// The number of a class is its byte in keys, so that it never changes; zero ends an array or a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TypeClass {
    /// Below all else.
    MinKey = 0x08,
    /// `undefined`, and a field that is missing.
    Undefined = 0x10,
    /// `null`.
    Null = 0x18,
    /// int32, int64, double and Decimal128.
    Number = 0x20,
    /// Strings and symbols.
    String = 0x28,
    /// Documents.
    Object = 0x30,
    /// Arrays.
    Array = 0x38,
    /// Binary data of every subtype.
    Binary = 0x40,
    /// Object ids.
    ObjectId = 0x48,
    /// `false`, `true`.
    Bool = 0x50,
    /// Milliseconds since 1970.
    Date = 0x58,
    /// Seconds and a counter, of replication.
    Timestamp = 0x60,
    /// Regular expressions.
    Regex = 0x68,
    /// DBPointer, deprecated.
    DbPointer = 0x70,
    /// JavaScript.
    Code = 0x78,
    /// JavaScript with variables, deprecated.
    CodeWithScope = 0x80,
    /// Above all else.
    MaxKey = 0x88,
}

impl TypeClass {
    /// The class of a value.
    #[must_use]
    pub fn of(value: RawBsonRef<'_>) -> Self {
        match value {
            RawBsonRef::MinKey => Self::MinKey,
            RawBsonRef::Undefined => Self::Undefined,
            RawBsonRef::Null => Self::Null,
            RawBsonRef::Int32(_)
            | RawBsonRef::Int64(_)
            | RawBsonRef::Double(_)
            | RawBsonRef::Decimal128(_) => Self::Number,
            RawBsonRef::String(_) | RawBsonRef::Symbol(_) => Self::String,
            RawBsonRef::Document(_) => Self::Object,
            RawBsonRef::Array(_) => Self::Array,
            RawBsonRef::Binary(_) => Self::Binary,
            RawBsonRef::ObjectId(_) => Self::ObjectId,
            RawBsonRef::Boolean(_) => Self::Bool,
            RawBsonRef::DateTime(_) => Self::Date,
            RawBsonRef::Timestamp(_) => Self::Timestamp,
            RawBsonRef::RegularExpression(_) => Self::Regex,
            RawBsonRef::DbPointer(_) => Self::DbPointer,
            RawBsonRef::JavaScriptCode(_) => Self::Code,
            RawBsonRef::JavaScriptCodeWithScope(_) => Self::CodeWithScope,
            RawBsonRef::MaxKey => Self::MaxKey,
        }
    }
}

/// The name of a value's type, as `$type` and error messages give it.
#[must_use]
pub fn type_name(value: RawBsonRef<'_>) -> &'static str {
    element_type_name(value.element_type())
}

/// The name of a type, as `$type` and messages have it.
#[must_use]
pub fn element_type_name(element_type: ElementType) -> &'static str {
    match element_type {
        ElementType::Double => "double",
        ElementType::String => "string",
        ElementType::EmbeddedDocument => "object",
        ElementType::Array => "array",
        ElementType::Binary => "binData",
        ElementType::Undefined => "undefined",
        ElementType::ObjectId => "objectId",
        ElementType::Boolean => "bool",
        ElementType::DateTime => "date",
        ElementType::Null => "null",
        ElementType::RegularExpression => "regex",
        ElementType::DbPointer => "dbPointer",
        ElementType::JavaScriptCode => "javascript",
        ElementType::Symbol => "symbol",
        ElementType::JavaScriptCodeWithScope => "javascriptWithScope",
        ElementType::Int32 => "int",
        ElementType::Timestamp => "timestamp",
        ElementType::Int64 => "long",
        ElementType::Decimal128 => "decimal",
        ElementType::MaxKey => "maxKey",
        ElementType::MinKey => "minKey",
    }
}
