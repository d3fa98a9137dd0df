//! How the stages of a command run.

use crate::aggregate::Options;
use crate::collation::Collator;

/// How the stages of a command run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What they may use.
    pub options: Options,
    /// How strings compare.
    pub collator: Collator,
    /// Whether the rule of a collection that is written to is left aside.
    pub bypass_validation: bool,
}
