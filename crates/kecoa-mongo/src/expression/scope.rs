//! Which variables exist while an expression is read, and how its strings compare.

use std::sync::Arc;

use super::naming;
use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::interrupt::Interrupt;

/// The variables of `let` that an expression may use beside the built-in ones, and the collation of its strings.
///
/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    names: Option<Arc<Name>>,
    documents: Documents,
    collator: Collator,
    interrupt: Interrupt,
}

/// Whether there are documents to read fields of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Documents {
    #[default]
    Present,
    Absent,
}

#[derive(Debug)]
struct Name {
    name: Box<str>,
    before: Option<Arc<Name>>,
}

impl Scope {
    /// Only the built-in variables, and strings that compare byte by byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a variable more, whose value [`Variables::bind`](super::Variables::bind) sets.
    #[must_use]
    pub fn with_variable(mut self, name: &str) -> Self {
        self.names = Some(Arc::new(Name { name: name.into(), before: self.names.take() }));
        self
    }

    /// The same with a variable that a client named.
    ///
    /// # Errors
    ///
    /// [`Code::FAILED_TO_PARSE`] if it may not have that name.
    pub fn with_user_variable(self, name: &str) -> Result<Self, Error> {
        naming::check_user_variable(name)?;
        Ok(self.with_variable(name))
    }

    /// The same with strings that compare by a collation.
    #[must_use]
    pub fn with_collator(mut self, collator: Collator) -> Self {
        self.collator = collator;
        self
    }

    /// The same, whose constant expressions stop when they are told to.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// What stops the work.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// How strings compare.
    #[must_use]
    pub fn collator(&self) -> &Collator {
        &self.collator
    }

    /// Whether there is a variable of that name that is not built in.
    #[must_use]
    pub fn has_variable(&self, name: &str) -> bool {
        let mut next = self.names.as_deref();
        while let Some(variable) = next {
            if &*variable.name == name {
                return true;
            }
            next = variable.before.as_deref();
        }
        false
    }

    /// The same where no document can be read: of a command's `let`.
    pub(super) fn without_documents(mut self) -> Self {
        self.documents = Documents::Absent;
        self
    }

    /// Fields can be read.
    pub(super) fn check_documents(&self) -> Result<(), Error> {
        match self.documents {
            Documents::Present => Ok(()),
            Documents::Absent => Err(Error::location(
                4_890_500,
                "Command let Expression tried to access a field, but this is not allowed because \
                 command let expressions run before the query examines any documents.",
            )),
        }
    }

    /// An error for a variable that is not there.
    pub(super) fn undefined(name: &str) -> Error {
        Error::new(Code::location(17276), format!("Use of undefined variable: {name}"))
    }
}
