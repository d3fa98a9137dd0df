//! A row of a command's table of arguments.

use ::bson::spec::ElementType;

use crate::error::Code;

/// What a command takes under one name.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// The name of the field.
    pub name: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// Whether it must be there; a null counts as missing.
    pub required: bool,
    /// What counts when it is missing.
    pub fallback: Fallback,
    /// Whether `apiStrict` allows it.
    pub stable: bool,
}

/// Which values an argument takes. Null and undefined count as missing, except where [`Kind::takes_null`] says that
/// they are values.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any type; a null is a value.
    Any,
    /// Booleans only.
    Boolean,
    /// Booleans and numbers.
    LenientBoolean,
    /// Numbers of all four types, cut to a whole one, within a range.
    Integer {
        /// The least value.
        least: i64,
        /// The greatest value.
        most: i64,
        /// What a value out of range answers.
        code: Code,
    },
    /// 64-bit integers only.
    Long,
    /// 32-bit integers only.
    Int,
    /// Numbers of all four types, as they are.
    Number,
    /// Strings.
    String,
    /// One of these strings.
    Enumeration(&'static [&'static str]),
    /// Objects.
    Document,
    /// Arrays of anything.
    Array,
    /// Arrays of objects; they may come as a document sequence.
    Documents,
    /// Arrays of strings.
    Strings,
    /// Timestamps.
    Timestamp,
    /// Binary data of subtype 4.
    Uuid,
    /// Any of these types.
    OneOf(&'static [ElementType]),
    /// Any of these types, and no null: what else there is answers the code.
    Parsed {
        /// The types.
        types: &'static [ElementType],
        /// What any other type answers.
        code: Code,
    },
    /// Numbers of all four types that are whole and fit into 64 bits with either sign, and no null.
    Whole,
    /// Milliseconds: whole numbers from 0 to the largest 32-bit one.
    Time,
    /// The name of a collection: a string that is not empty; anything else answers the code.
    Collection {
        /// What another type answers.
        code: Code,
    },
    /// The name of a collection, or the number 1 for the database itself.
    CollectionOrOne,
}

/// What counts when an argument is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: accessors answer `None`, a boolean is false.
    Nothing,
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
}

impl Kind {
    /// Whether a null is a value, which may be a wrong one; elsewhere it counts as missing.
    #[must_use]
    pub const fn takes_null(self) -> bool {
        matches!(self, Self::Any | Self::Parsed { .. } | Self::Whole | Self::Time)
    }
}

impl Argument {
    /// An optional argument.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, fallback: Fallback::Nothing, stable: true }
    }

    /// Any value, null as well.
    #[must_use]
    pub const fn any(name: &'static str) -> Self {
        Self::new(name, Kind::Any)
    }

    /// A boolean and nothing else, `ordered` for example.
    #[must_use]
    pub const fn boolean(name: &'static str) -> Self {
        Self::new(name, Kind::Boolean)
    }

    /// A boolean and nothing else, not even null: `singleBatch` for example.
    #[must_use]
    pub const fn plain_boolean(name: &'static str) -> Self {
        Self::new(name, Kind::Parsed { types: &[ElementType::Boolean], code: Code::TYPE_MISMATCH })
    }

    /// A boolean or a number, `bypassDocumentValidation` for example.
    #[must_use]
    pub const fn lenient_boolean(name: &'static str) -> Self {
        Self::new(name, Kind::LenientBoolean)
    }

    /// A whole number of any size.
    #[must_use]
    pub const fn integer(name: &'static str) -> Self {
        Self::new(name, Kind::Integer { least: i64::MIN, most: i64::MAX, code: Code::BAD_VALUE })
    }

    /// A whole number from 0: 51024 when it is below.
    #[must_use]
    pub const fn count(name: &'static str) -> Self {
        Self::new(name, Kind::Integer { least: 0, most: i64::MAX, code: Code::location(51024) })
    }

    /// A whole number within a range: 51024 when it is outside.
    #[must_use]
    pub const fn bounded(name: &'static str, least: i64, most: i64) -> Self {
        Self::new(name, Kind::Integer { least, most, code: Code::location(51024) })
    }

    /// A whole number within a range: 2 when it is outside.
    #[must_use]
    pub const fn within(name: &'static str, least: i64, most: i64) -> Self {
        Self::new(name, Kind::Integer { least, most, code: Code::BAD_VALUE })
    }

    /// A number of any type, as it is.
    #[must_use]
    pub const fn number(name: &'static str) -> Self {
        Self::new(name, Kind::Number)
    }

    /// A string.
    #[must_use]
    pub const fn string(name: &'static str) -> Self {
        Self::new(name, Kind::String)
    }

    /// An object.
    #[must_use]
    pub const fn document(name: &'static str) -> Self {
        Self::new(name, Kind::Document)
    }

    /// An object, and no null: `filter` for example.
    #[must_use]
    pub const fn plain_document(name: &'static str) -> Self {
        Self::new(
            name,
            Kind::Parsed { types: &[ElementType::EmbeddedDocument], code: Code::TYPE_MISMATCH },
        )
    }

    /// An array of anything.
    #[must_use]
    pub const fn array(name: &'static str) -> Self {
        Self::new(name, Kind::Array)
    }

    /// An array of objects, or a document sequence.
    #[must_use]
    pub const fn documents(name: &'static str) -> Self {
        Self::new(name, Kind::Documents)
    }

    /// Any of these types.
    #[must_use]
    pub const fn one_of(name: &'static str, types: &'static [ElementType]) -> Self {
        Self::new(name, Kind::OneOf(types))
    }

    /// A string or an object, and no null: a hint. 9 for all else.
    #[must_use]
    pub const fn hint(name: &'static str) -> Self {
        Self::new(
            name,
            Kind::Parsed {
                types: &[ElementType::String, ElementType::EmbeddedDocument],
                code: Code::FAILED_TO_PARSE,
            },
        )
    }

    /// An object or an array, and no null: how documents are changed. 9 for all else.
    #[must_use]
    pub const fn modification(name: &'static str) -> Self {
        Self::new(
            name,
            Kind::Parsed {
                types: &[ElementType::EmbeddedDocument, ElementType::Array],
                code: Code::FAILED_TO_PARSE,
            },
        )
    }

    /// The same, which must be there.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, which is this boolean when it is missing.
    #[must_use]
    pub const fn or(mut self, value: bool) -> Self {
        self.fallback = Fallback::Boolean(value);
        self
    }

    /// The same, which is this number when it is missing.
    #[must_use]
    pub const fn or_integer(mut self, value: i64) -> Self {
        self.fallback = Fallback::Integer(value);
        self
    }

    /// The same, which `apiStrict` refuses.
    #[must_use]
    pub const fn unstable(mut self) -> Self {
        self.stable = false;
        self
    }
}
