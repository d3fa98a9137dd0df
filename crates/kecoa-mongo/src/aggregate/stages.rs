//! The stages, a file each.

mod boundaries;
pub(super) mod bucket;
pub(super) mod bucket_auto;
pub(super) mod count;
pub(super) mod densify;
pub(super) mod documents;
pub(super) mod facet;
pub(super) mod fill;
pub(super) mod graph_lookup;
pub(super) mod group;
pub(super) mod limit;
pub(super) mod lookup;
pub(super) mod matching;
pub(super) mod merge;
pub(super) mod nested_field;
pub(super) mod out;
pub(super) mod redact;
pub(super) mod replace_root;
pub(super) mod sample;
pub(super) mod shape;
pub(super) mod sort;
pub(super) mod sources;
pub(super) mod union_with;
pub(super) mod unwind;
pub(super) mod window;
