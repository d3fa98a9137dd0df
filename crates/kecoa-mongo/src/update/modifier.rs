//! What an operator does to one place of a document.

use ::bson::{DateTime, RawBson, RawBsonRef, Timestamp};

use super::arithmetic::{Arithmetic, Bits};
use super::node::Node;
use super::path::UpdatePath;
use super::place::{Outcome, Place, WhenMissing};
use super::pull::Removal;
use super::push::Push;
use super::set::Additions;
use super::text;
use crate::bson::compare::compare;
use crate::error::{Code, Error};

/// An operator with its argument.
#[derive(Clone, Debug)]
pub(super) enum Modifier {
    /// `$set`.
    Set(RawBson),
    /// `$setOnInsert`.
    SetOnInsert(RawBson),
    /// `$unset`.
    Unset,
    /// `$inc` and `$mul`.
    Arithmetic(Arithmetic),
    /// `$min`: keep the lower value.
    Min(RawBson),
    /// `$max`: keep the higher value.
    Max(RawBson),
    /// `$currentDate`.
    CurrentDate {
        /// A timestamp, not a date.
        timestamp: bool,
    },
    /// `$bit`.
    Bits(Bits),
    /// `$push`.
    Push(Push),
    /// `$addToSet`.
    AddToSet(Additions),
    /// `$pop`, `$pull`, `$pullAll`.
    Remove(Removal),
    /// `$rename`, at the new place.
    MoveFrom(UpdatePath),
    /// `$rename`, at the old place, which no other operator may touch.
    MovedAway,
}

impl Modifier {
    /// What the operator does where nothing is.
    pub(super) fn when_missing(&self, inserting: bool) -> WhenMissing {
        match self {
            Self::SetOnInsert(_) if !inserting => WhenMissing::Nothing,
            Self::Unset | Self::MovedAway | Self::MoveFrom(_) => WhenMissing::Nothing,
            Self::Remove(_) => WhenMissing::CheckWay,
            _ => WhenMissing::Create,
        }
    }

    /// Change what is there.
    pub(super) fn change<'a>(
        &'a self,
        node: &mut Node<'a>,
        place: &Place<'_>,
    ) -> Result<Outcome, Error> {
        match self {
            Self::Set(value) => replace(node, Node::Given(value.as_raw_bson_ref())),
            Self::SetOnInsert(value) if place.inserting => {
                replace(node, Node::Given(value.as_raw_bson_ref()))
            }
            Self::SetOnInsert(_) | Self::MovedAway | Self::MoveFrom(_) => Ok(Outcome::Same),
            Self::Unset => Ok(Outcome::Removed),
            Self::Arithmetic(arithmetic) => {
                let made = arithmetic.result(node.value()?.as_ref(), place)?;
                replace(node, Node::Made(made))
            }
            Self::Min(value) | Self::Max(value) => {
                let order = place.collator.compare(value.as_raw_bson_ref(), node.value()?.as_ref());
                let keep = match self {
                    Self::Min(_) => order.is_ge(),
                    _ => order.is_le(),
                };
                if keep {
                    return Ok(Outcome::Same);
                }
                replace(node, Node::Given(value.as_raw_bson_ref()))
            }
            Self::CurrentDate { timestamp } => replace(node, Node::Made(now(*timestamp, place))),
            Self::Bits(bits) => {
                let made = bits.result(Some(node.value()?.as_ref()), place)?;
                replace(node, Node::Made(made))
            }
            Self::Push(push) => push.change(node, place),
            Self::AddToSet(additions) => additions.change(node, place),
            Self::Remove(removal) => removal.change(node, place),
        }
    }

    /// Make what is not there; `None` if the operator makes nothing.
    pub(super) fn create<'a>(&'a self, place: &Place<'_>) -> Result<Option<Node<'a>>, Error> {
        Ok(Some(match self {
            Self::Set(value) | Self::Min(value) | Self::Max(value) => {
                Node::Given(value.as_raw_bson_ref())
            }
            Self::SetOnInsert(value) if place.inserting => Node::Given(value.as_raw_bson_ref()),
            Self::SetOnInsert(_)
            | Self::Unset
            | Self::Remove(_)
            | Self::MoveFrom(_)
            | Self::MovedAway => return Ok(None),
            Self::Arithmetic(arithmetic) => Node::Made(arithmetic.first(place)?),
            Self::CurrentDate { timestamp } => Node::Made(now(*timestamp, place)),
            Self::Bits(bits) => Node::Made(bits.result(None, place)?),
            Self::Push(push) => push.create(place)?,
            Self::AddToSet(additions) => additions.create(place),
        }))
    }

    /// Parse `$currentDate`'s argument.
    pub(super) fn current_date(argument: RawBsonRef<'_>) -> Result<Self, Error> {
        let bad = |message: String| Err(Error::new(Code::BAD_VALUE, message));
        match argument {
            RawBsonRef::Boolean(_) => Ok(Self::CurrentDate { timestamp: false }),
            RawBsonRef::Document(document) => {
                let mut timestamp = None;
                for (name, value) in document.iter().map_while(Result::ok) {
                    if name.as_str() != "$type" {
                        return bad(format!("Unrecognized $currentDate option: {}", name.as_str()));
                    }
                    timestamp = match value {
                        RawBsonRef::String("date") => Some(false),
                        RawBsonRef::String("timestamp") => Some(true),
                        _ => {
                            return bad("The '$type' string field is required to be 'date' or \
                                        'timestamp': {$currentDate: {field : {$type: 'date'}}}"
                                .to_owned());
                        }
                    };
                }
                match timestamp {
                    Some(timestamp) => Ok(Self::CurrentDate { timestamp }),
                    None => {
                        bad("The '$type' string field is required to be 'date' or 'timestamp': \
                                 {$currentDate: {field : {$type: 'date'}}}"
                            .to_owned())
                    }
                }
            }
            other => bad(format!(
                "{} is not valid type for $currentDate. Please use a boolean ('true') or a $type \
                 expression ({{$type: 'timestamp/date'}}).",
                text::type_name(other)
            )),
        }
    }
}

/// Put a value in the place of another; the same bytes are no change.
pub(super) fn replace<'a>(node: &mut Node<'a>, new: Node<'a>) -> Result<Outcome, Error> {
    let same = identical(node.value()?.as_ref(), new.value()?.as_ref());
    if same {
        return Ok(Outcome::Same);
    }
    *node = new;
    Ok(Outcome::Changed)
}

/// Whether two values have the same bytes.
pub(super) fn identical(left: RawBsonRef<'_>, right: RawBsonRef<'_>) -> bool {
    use RawBsonRef as Value;
    if left.element_type() != right.element_type() {
        return false;
    }
    match (left, right) {
        (Value::Document(left), Value::Document(right)) => left.as_bytes() == right.as_bytes(),
        (Value::Array(left), Value::Array(right)) => left.as_bytes() == right.as_bytes(),
        (Value::Double(left), Value::Double(right)) => left.to_bits() == right.to_bits(),
        (Value::Decimal128(left), Value::Decimal128(right)) => left.bytes() == right.bytes(),
        (Value::JavaScriptCodeWithScope(left), Value::JavaScriptCodeWithScope(right)) => {
            left.code == right.code && left.scope.as_bytes() == right.scope.as_bytes()
        }
        _ => compare(left, right).is_eq(),
    }
}

fn now(timestamp: bool, place: &Place<'_>) -> RawBson {
    let (now, cluster_time): (DateTime, Timestamp) =
        (place.variables.now(), place.variables.cluster_time());
    if timestamp { RawBson::Timestamp(cluster_time) } else { RawBson::DateTime(now) }
}
