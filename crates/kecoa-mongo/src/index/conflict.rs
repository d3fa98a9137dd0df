//! Whether an index is there already, or does not go with one that is.

use ::bson::{RawBsonRef, RawDocument};

use super::definition::Index;
use super::shell_text::text;
use crate::bson::compare::compare;
use crate::error::{Code, Error};

/// Whether `requested` is `existing`: it need not be made then.
///
/// # Errors
///
/// 85 where it is the same but for its name or its options; 86 where it is another of the same name.
pub fn same_index(existing: &Index, requested: &Index) -> Result<bool, Error> {
    let equivalent = equivalent(existing, requested);
    let same_name = existing.name == requested.name;
    let same_options = existing.expire_after_seconds == requested.expire_after_seconds;
    match (equivalent, same_name) {
        (true, true) if same_options => Ok(true),
        (true, true) => Err(Error::new(
            Code::INDEX_OPTIONS_CONFLICT,
            format!(
                "An equivalent index already exists with the same name but different options. {}",
                both(existing, requested)
            ),
        )),
        (true, false) if same_options => Err(Error::new(
            Code::INDEX_OPTIONS_CONFLICT,
            format!("Index already exists with a different name: {}", existing.name),
        )),
        (true, false) => Err(Error::new(
            Code::INDEX_OPTIONS_CONFLICT,
            format!(
                "An equivalent index already exists with a different name and options. {}",
                both(existing, requested)
            ),
        )),
        (false, true) => Err(Error::new(
            Code::INDEX_KEY_SPECS_CONFLICT,
            format!(
                "An existing index has the same name as the requested index. When index names are not specified, they \
                 are auto generated and can cause conflicts. Please refer to our documentation. {}",
                both(existing, requested)
            ),
        )),
        (false, false) => Ok(false),
    }
}

/// Whether two indexes have the same entries.
fn equivalent(left: &Index, right: &Index) -> bool {
    let equal = |left: &RawDocument, right: &RawDocument| {
        compare(RawBsonRef::Document(left), RawBsonRef::Document(right)).is_eq()
    };
    let partial = match (left.partial_filter(), right.partial_filter()) {
        (None, None) => true,
        (Some(left), Some(right)) => equal(left, right),
        _ => false,
    };
    partial
        && left.unique == right.unique
        && left.sparse == right.sparse
        && left.collator == right.collator
        && equal(left.key_pattern(), right.key_pattern())
}

fn both(existing: &Index, requested: &Index) -> String {
    let shown = |index: &Index| text(RawBsonRef::Document(&index.specification));
    format!("Requested index: {}, existing index: {}", shown(requested), shown(existing))
}
