//! What a test needs beside the filter and the document.

use crate::collation::Collator;
use crate::expression::Variables;

/// What a test needs beside the filter and the document.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) variables: &'a Variables,
    pub(super) collator: &'a Collator,
}
