//! `$eq`, `$ne`, `$gt`, `$gte`, `$lt`, `$lte`, `$cmp`: over all types, a missing value below `null`.

use std::cmp::Ordering;

use ::bson::{RawBson, RawBsonRef};

use super::context::{Context, Outcome};
use super::node::{Evaluate, Node};
use super::parser::{Definition, Operator, Parser};
use crate::collation::Collator;
use crate::error::Error;
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$cmp", definition: Definition::Own(cmp) },
    Operator { name: "$eq", definition: Definition::Own(eq) },
    Operator { name: "$gt", definition: Definition::Own(gt) },
    Operator { name: "$gte", definition: Definition::Own(gte) },
    Operator { name: "$lt", definition: Definition::Own(lt) },
    Operator { name: "$lte", definition: Definition::Own(lte) },
    Operator { name: "$ne", definition: Definition::Own(ne) },
];

#[derive(Debug)]
struct Comparison {
    operands: [Node; 2],
    collator: Collator,
    result: fn(Ordering) -> RawBson,
}

impl Evaluate for Comparison {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let [left, right] = &self.operands;
        let (left, right) = (left.evaluate(context)?, right.evaluate(context)?);
        let order = self
            .collator
            .compare_optional(left.as_ref().map(Value::as_ref), right.as_ref().map(Value::as_ref));
        Ok(Some((self.result)(order).into()))
    }
}

macro_rules! comparisons {
    ($($function:ident => $result:expr;)*) => {
        $(
            fn $function(
                name: &'static str,
                argument: RawBsonRef<'_>,
                parser: &Parser<'_>,
            ) -> Result<Node, Error> {
                let operands = parser.exactly(name, argument)?;
                let collator = parser.scope.collator().clone();
                Ok(Node::special(Comparison { operands, collator, result: $result }))
            }
        )*
    };
}

comparisons! {
    cmp => |order| RawBson::Int32(order as i32);
    eq => |order| RawBson::Boolean(order.is_eq());
    gt => |order| RawBson::Boolean(order.is_gt());
    gte => |order| RawBson::Boolean(order.is_ge());
    lt => |order| RawBson::Boolean(order.is_lt());
    lte => |order| RawBson::Boolean(order.is_le());
    ne => |order| RawBson::Boolean(order.is_ne());
}
