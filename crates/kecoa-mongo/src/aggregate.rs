//! Aggregation pipelines: stages and accumulators, without I/O.
//!
//! [`Pipeline::parse`] reads the stages; [`Execution`] runs them. It takes documents ([`Execution::push`],
//! [`Execution::end`]) and gives [`Step`]s. What a stage needs from another collection it asks for
//! ([`Step::Read`], [`Step::Write`]); the caller answers ([`Execution::answer`]).

mod accumulator;
mod context;
mod definition;
mod execution;
mod external_sort;
mod leading;
mod memory;
mod number;
mod options;
mod parse;
mod request;
mod source;
mod specification;
mod spill;
mod stage;
mod stages;
mod update_pipeline;

pub use context::MAX_SUB_PIPELINES;
pub use definition::is_stage;
pub use execution::{Execution, Step};
pub use external_sort::{ExternalSort, Record, Sorted, unreadable};
pub use leading::Leading;
pub use options::Options;
pub use parse::MAX_STAGES;
pub use request::{Merge, Namespace, WhenMatched, WhenNotMatched, Write};
pub use source::Source;
pub use spill::{Run, Spill};
pub use stage::{Pipeline, Read};
pub use update_pipeline::UpdatePipeline;
