//! From a plan's pieces to runs: what is sent, and what comes of each reply.

use crate::dialect::plan::{Class, CopyForm, OnError, Piece, Reply};
use crate::dialect::transaction::Transaction;

/// One statement that runs, and what comes of it.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// What the client sees.
    pub(super) reply: Reply,
    /// What its failure means.
    pub(super) on_error: OnError,
    /// A notice for the client once it has completed.
    pub(super) notice: Option<String>,
    /// How the rules look at the client's statement, if this completes it.
    pub(super) class: Option<Class>,
    /// The state of the transaction after it, if the rules say.
    pub(super) after: Option<Transaction>,
}

impl Run {
    /// A statement of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            reply: Reply::Forward,
            on_error: OnError::Fail,
            notice: None,
            class: Some(Class::Work),
            after: None,
        }
    }

    /// A statement of the endpoint's own.
    pub(super) fn hidden() -> Self {
        Self { reply: Reply::Hide, class: None, ..Self::unknown() }
    }

    /// A piece whose completion says nothing of the transaction.
    pub(super) fn of(piece: &Piece) -> Self {
        Self {
            reply: piece.reply.clone(),
            on_error: piece.on_error,
            notice: piece.notice.clone(),
            class: None,
            after: None,
        }
    }

    /// The form of the rows that the client sends for it.
    pub(super) fn copy_form(&self) -> CopyForm {
        match self.reply {
            Reply::CopyIn(form) => form,
            _ => CopyForm::Other,
        }
    }

    /// What a statement of which nothing depends on the transaction is: its one piece and its
    /// class.
    pub(super) fn plain(pieces: &[Piece], class: Class) -> Self {
        let run = pieces.first().map_or_else(Self::unknown, Self::of);
        Self { class: Some(class), ..run }
    }
}

/// The pieces of a plan, each with its run. The last one completes the client's statement.
pub(super) fn runs(pieces: Vec<Piece>, class: Class, after: &Transaction) -> Vec<(Piece, Run)> {
    let last = pieces.len().saturating_sub(1);
    let mut runs = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.into_iter().enumerate() {
        let mut run = Run::of(&piece);
        if index == last {
            run.class = Some(class);
            run.after = Some(after.clone());
        }
        runs.push((piece, run));
    }
    runs
}
