//! `$group`'s accumulators: what a group keeps of its documents.

mod definition;
mod parse;
mod percentile;
mod selection;
mod size;
mod slide;
mod sliding;
mod state;

pub(super) use definition::Accumulator;
pub(super) use parse::{parse, parse_operator};
pub(super) use slide::{Sliding, slide};
pub(super) use state::State;
