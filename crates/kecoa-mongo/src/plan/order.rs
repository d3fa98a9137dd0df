//! Whether reading in the order of an index gives the order of a sort.

use super::key_field::KeyField;
use crate::bson::key::Direction;
use crate::index::FieldKind;
use crate::plan::access::Order;
use crate::query::Sort;

/// The order that `{$natural: 1}` or `{$natural: -1}` asks for.
pub(super) fn of_natural(direction: Direction) -> Order {
    match direction {
        Direction::Ascending => Order::Forward,
        Direction::Descending => Order::Backward,
    }
}

/// In which order an index is to be read for a sort; `None` if none gives it.
///
/// `equal` is the number of the index's first fields that have one value each. `bounded` is the number of those that
/// have bounds at all.
pub(super) fn serving(
    sort: &Sort,
    fields: &[KeyField<'_>],
    equal: usize,
    bounded: usize,
    multikey: bool,
) -> Option<Order> {
    let is_equal = |name: &str| fields.iter().take(equal).any(|field| field.name == name);
    let mut order = None;
    let mut position = 0;
    for wanted in sort.fields() {
        let name = wanted.path.as_ref()?.as_str();
        if !multikey && is_equal(name) {
            continue;
        }
        // Fields of one value each may be passed over.
        while position < equal && fields.get(position).is_some_and(|field| field.name != name) {
            position += 1;
        }
        let field = fields.get(position).filter(|field| field.name == name)?;
        let FieldKind::Ordered(direction) = field.kind else { return None };
        if field.collator() != sort.collator() {
            return None;
        }
        if multikey {
            // The first entry in the bounds need not be the document's first, and an entry with the value that is
            // wanted need not be the one that the document is sorted by.
            if position < bounded {
                return None;
            }
            let first = first_name(name);
            if fields.iter().take(bounded).any(|bound| first_name(bound.name) == first) {
                return None;
            }
        }
        let this = if direction == wanted.direction { Order::Forward } else { Order::Backward };
        if order.is_some_and(|order| order != this) {
            return None;
        }
        order = Some(this);
        position += 1;
    }
    Some(order.unwrap_or_default())
}

pub(super) fn first_name(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}
