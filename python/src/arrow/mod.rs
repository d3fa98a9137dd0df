//! Arrow tables out of a result and into COPY, through Arrow's C data interface and its capsules:
//! no Arrow library is needed, on either side.
//!
//! `abi` has the structures. Out: `kind` says what a column becomes, `build` collects values,
//! `batch` the columns of rows, `export` hands them over, `result` is what Python sees. In: `source` reads the schema that came,
//! `import` its arrays, `view` their values, `convert` and `target` write them for a column of a table, `copy` sends them.
//!
//! `unsafe` is for the structures that cross the border: `export`, `capsule`, `source`, `import` and
//! the calls of a stream in `copy`.

mod abi;
mod batch;
mod build;
mod capsule;
mod convert;
mod copy;
mod export;
mod import;
mod kind;
mod result;
mod source;
mod target;
mod units;
mod view;

pub(crate) use batch::{Batching, batching_of, forms, work_ahead};
pub(crate) use copy::{CopyError, Input, copy_in, destination};
pub(crate) use result::{ArrowResult, RowSource};
