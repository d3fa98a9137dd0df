//! What the client prepared, and what PostgreSQL has yet to answer, in the extended protocol.

use std::sync::Arc;

use bytes::Bytes;

use super::run::Run;
use crate::dialect::edit::Sql;
use crate::dialect::plan::{Analysis, OnError};
use crate::dialect::settings::Settings;

/// A statement the client prepared.
#[derive(Debug)]
pub(super) struct Prepared {
    /// How it was understood.
    pub(super) analysis: Analysis,
    /// What PostgreSQL parsed, for the positions of errors.
    pub(super) sql: Arc<Sql>,
    /// The client's text.
    pub(super) client: Bytes,
    /// One piece whose meaning does not depend on the transaction.
    pub(super) plain: bool,
    /// The types the client gave its parameters.
    pub(super) types: Vec<u32>,
    /// What it became depends on what a name meant at this moment of the session.
    pub(super) named_at: Option<u64>,
    /// More of it changes nothing about what names mean.
    pub(super) keeps_names: bool,
    /// The settings under which it was understood.
    pub(super) settings: Settings,
}

impl Prepared {
    /// Where the text of its errors' positions lies.
    pub(super) fn source(&self) -> Source {
        Some((self.sql.clone(), self.client.clone()))
    }
}

/// Where the text of an error's position lies.
pub(super) type Source = Option<(Arc<Sql>, Bytes)>;

/// A message whose answer is awaited.
#[derive(Debug)]
pub(super) enum Expect {
    /// ParseComplete.
    Parse {
        visible: bool,
        /// What the client's statement of this name was before, to be put back on failure.
        undo: Option<(Bytes, Option<Arc<Prepared>>)>,
        on_error: OnError,
        source: Source,
    },
    /// BindComplete.
    Bind { visible: bool, portal: Option<Bytes>, source: Source },
    /// ParameterDescription, RowDescription, NoData.
    Describe { visible: bool, no_data: bool },
    /// Rows and an end.
    Execute { run: Box<Run>, collect: bool, source: Source },
    /// CloseComplete.
    Close { visible: bool },
    /// ReadyForQuery.
    Sync,
}
