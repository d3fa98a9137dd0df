//! What is asked of a plan, and what it says.

use std::sync::Arc;

use ::bson::RawBsonRef;

use super::access::Access;
use crate::index::Index;
use crate::query::{Filter, Sort};

/// What is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// Which documents.
    pub filter: &'r Filter,
    /// In which order.
    pub sort: Option<&'r Sort>,
    /// The indexes of the collection; that of `_id` may be among them.
    pub indexes: &'r [Arc<Index>],
    /// By which index: its name, its key pattern, or `{$natural: 1}`.
    pub hint: Option<RawBsonRef<'r>>,
}

/// How it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is read: no document that the filter matches is left out, except where a hint names a sparse or partial
    /// index.
    pub access: Access,
    /// Whether it comes in the order of the sort; true without a sort. Keys that are cut
    /// ([`Key::is_cut`](crate::bson::key::Key::is_cut)) are in order up to the cut only.
    pub sort_is_served: bool,
    /// The name of the index that is read, `_id_` for that of `_id`; none for the whole collection.
    pub index: Option<String>,
}
