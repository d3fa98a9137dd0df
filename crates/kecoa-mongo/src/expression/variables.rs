//! The values of variables while expressions are evaluated.

use std::sync::Arc;

use ::bson::raw::CStr;
use ::bson::{DateTime, RawBson, RawBsonRef, RawDocumentBuf, Timestamp};

use super::scope::Scope;
use crate::interrupt::Interrupt;

/// What `$$NOW`, `$$CLUSTER_TIME`, `$$USER_ROLES` and the variables of `let` stand for in one command.
///
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Variables {
    pub(super) now: DateTime,
    pub(super) cluster_time: Timestamp,
    user_roles: Option<Arc<RawBson>>,
    bound: Option<Arc<Bound>>,
    interrupt: Interrupt,
}

#[derive(Debug)]
struct Bound {
    name: Box<str>,
    /// None: missing.
    value: Option<RawBson>,
    before: Option<Arc<Bound>>,
}

impl Variables {
    /// No variables but the built-in ones.
    #[must_use]
    pub fn new(now: DateTime, cluster_time: Timestamp) -> Self {
        Self { now, cluster_time, user_roles: None, bound: None, interrupt: Interrupt::default() }
    }

    /// The same with what `$$USER_ROLES` stands for: an array of `{_id, role, db}`.
    #[must_use]
    pub fn with_user_roles(mut self, roles: RawBson) -> Self {
        self.user_roles = Some(Arc::new(roles));
        self
    }

    /// The same, whose expressions stop when they are told to.
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

    /// The same with a value for a variable of the [`Scope`](super::Scope); none is a missing one.
    #[must_use]
    pub fn bind(mut self, name: &str, value: Option<RawBson>) -> Self {
        let before = self.bound.take();
        self.bound = Some(Arc::new(Bound { name: name.into(), value, before }));
        self
    }

    /// The value of a variable that is not built in; none if it is missing or was never bound.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<RawBsonRef<'_>> {
        let mut next = self.bound.as_deref();
        while let Some(bound) = next {
            if &*bound.name == name {
                return bound.value.as_ref().map(RawBson::as_raw_bson_ref);
            }
            next = bound.before.as_deref();
        }
        None
    }

    /// A scope with the names of all variables that have values here.
    #[must_use]
    pub fn add_names(&self, scope: Scope) -> Scope {
        let mut names = Vec::new();
        let mut next = self.bound.as_deref();
        while let Some(bound) = next {
            if !scope.has_variable(&bound.name) {
                names.push(&*bound.name);
            }
            next = bound.before.as_deref();
        }
        names.into_iter().rev().fold(scope, Scope::with_variable)
    }

    /// What `$$NOW` stands for.
    #[must_use]
    pub fn now(&self) -> DateTime {
        self.now
    }

    /// What `$$CLUSTER_TIME` stands for.
    #[must_use]
    pub fn cluster_time(&self) -> Timestamp {
        self.cluster_time
    }

    /// All variables of `let`, with the values that expressions see.
    #[must_use]
    pub fn let_values(&self) -> RawDocumentBuf {
        let mut bound = Vec::new();
        let mut next = self.bound.as_deref();
        while let Some(variable) = next {
            bound.push(variable);
            next = variable.before.as_deref();
        }
        let mut document = RawDocumentBuf::new();
        for variable in bound.into_iter().rev() {
            if let (Ok(name), Some(value)) =
                (<&CStr>::try_from(&*variable.name), variable.value.as_ref())
            {
                document.append(name, value.as_raw_bson_ref());
            }
        }
        document
    }

    pub(super) fn user_roles(&self) -> Option<RawBsonRef<'_>> {
        self.user_roles.as_deref().map(RawBson::as_raw_bson_ref)
    }
}
