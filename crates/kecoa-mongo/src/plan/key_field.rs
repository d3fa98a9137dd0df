//! A field of a key: how its values become bytes.

use ::bson::RawBsonRef;

use crate::bson::key::{Direction, Key, KeyBuilder};
use crate::bson::type_class::TypeClass;
use crate::collation::Collator;
use crate::index::{Field, FieldKind, Index};

/// A field of an index, or `_id`.
#[derive(Clone, Debug)]
pub(super) struct KeyField<'i> {
    pub(super) name: &'i str,
    pub(super) kind: FieldKind,
    /// The index that encodes it; `_id`'s keys are of bytes alone.
    index: Option<(&'i Index, &'i Field)>,
    collator: Collator,
}

impl<'i> KeyField<'i> {
    /// `_id`, in the order of which documents lie.
    pub(super) fn id() -> Self {
        Self {
            name: "_id",
            kind: FieldKind::Ordered(Direction::Ascending),
            index: None,
            collator: Collator::default(),
        }
    }

    pub(super) fn of(index: &'i Index, field: &'i Field) -> Self {
        Self {
            name: field.name(),
            kind: field.kind(),
            index: Some((index, field)),
            collator: index.collator().clone(),
        }
    }

    pub(super) fn collator(&self) -> &Collator {
        &self.collator
    }

    pub(super) fn is_descending(&self) -> bool {
        self.kind == FieldKind::Ordered(Direction::Descending)
    }

    /// The key of a value.
    pub(super) fn key(&self, value: RawBsonRef<'_>) -> Key {
        let mut builder = KeyBuilder::default();
        match self.index {
            Some((index, field)) => index.push_value(&mut builder, field, Some(value)),
            None => builder.push(Some(value), Direction::Ascending),
        }
        builder.finish()
    }

    /// The first byte of all keys of a class of types.
    pub(super) fn class_byte(&self, class: TypeClass) -> u8 {
        let ascending = match class {
            // Under a collation, strings are kept as sort keys.
            TypeClass::String => {
                let key = self.key(RawBsonRef::String(""));
                return key.as_bytes().first().copied().unwrap_or(class as u8);
            }
            class => class as u8,
        };
        if self.is_descending() { !ascending } else { ascending }
    }
}
