//! `$eq $gt $gte $lt $lte`: only values of one class of types compare.

use std::cmp::Ordering;

use ::bson::{RawBson, RawBsonRef};

use crate::bson::number::Number;
use crate::bson::type_class::TypeClass;
use crate::collation::Collator;

/// A comparison with a value.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// How.
    pub operator: ComparisonOperator,
    /// With what.
    pub value: RawBson,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonOperator {
    /// `$eq`
    Equal,
    /// `$gt`
    Greater,
    /// `$gte`
    GreaterOrEqual,
    /// `$lt`
    Less,
    /// `$lte`
    LessOrEqual,
}

impl ComparisonOperator {
    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "$eq",
            Self::Greater => "$gt",
            Self::GreaterOrEqual => "$gte",
            Self::Less => "$lt",
            Self::LessOrEqual => "$lte",
        }
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }

    /// Whether equal values pass.
    fn includes_equal(self) -> bool {
        self.accepts(Ordering::Equal)
    }
}

impl Comparison {
    /// Whether a value passes; none is a missing one.
    pub(super) fn accepts(&self, value: Option<RawBsonRef<'_>>, collator: &Collator) -> bool {
        let with = self.value.as_raw_bson_ref();
        let Some(value) = value else { return self.accepts_missing(with) };
        let (class, with_class) = (TypeClass::of(value), TypeClass::of(with));
        if class != with_class {
            return self.accepts_other_class(with_class);
        }
        if class == TypeClass::Number {
            // NaN is equal to itself, and neither above nor below anything.
            let (nan, with_nan) = (is_nan(value), is_nan(with));
            if nan || with_nan {
                return nan && with_nan && self.operator.includes_equal();
            }
        }
        self.operator.accepts(collator.compare(value, with))
    }

    fn accepts_missing(&self, with: RawBsonRef<'_>) -> bool {
        match TypeClass::of(with) {
            TypeClass::Null => self.operator.includes_equal(),
            class => self.accepts_other_class(class),
        }
    }

    /// Only the ends of the order compare with all classes.
    fn accepts_other_class(&self, with: TypeClass) -> bool {
        use ComparisonOperator as Operator;
        match self.operator {
            Operator::Equal => false,
            Operator::Less | Operator::LessOrEqual => with == TypeClass::MaxKey,
            Operator::Greater | Operator::GreaterOrEqual => with == TypeClass::MinKey,
        }
    }
}

fn is_nan(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Int32(_) | RawBsonRef::Int64(_) => false,
        RawBsonRef::Double(value) => value.is_nan(),
        _ => match Number::from_bson(value) {
            Some(Number::Decimal(value)) => value.is_nan(),
            _ => false,
        },
    }
}
