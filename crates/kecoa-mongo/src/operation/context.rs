//! What an operation knows of the command that it runs for.

use tokio::time::Instant;

use ::bson::{RawDocument, Timestamp};

use crate::collation::Collator;
use crate::error::{Code, Error};
use crate::expression::{Scope, Variables};
use crate::store::{
    Collection, CollectionKind, Handle, Namespace, NewCollection, Store, Transaction,
};

use super::attempts::{Tries, time_is_up};
use super::retry::Retry;

/// What an operation knows of the command that it runs for: where its statements go, until when, for whom.
#[derive(Debug)]
pub struct Context<'a> {
    store: Store,
    transaction: Option<&'a mut Transaction>,
    /// The names that expressions may use, without a collation.
    pub scope: Scope,
    /// Their values.
    pub variables: Variables,
    /// What an empty timestamp becomes.
    pub cluster_time: Timestamp,
    /// When the time of the command is up.
    pub deadline: Option<Instant>,
    /// Keeps the results of statements that may be sent again.
    pub retry: Option<Retry>,
    /// How many views the read that runs now is within.
    pub(super) views: usize,
}

impl<'a> Context<'a> {
    /// Outside of transactions.
    #[must_use]
    pub fn new(store: Store, scope: Scope, variables: Variables, cluster_time: Timestamp) -> Self {
        Self {
            store,
            transaction: None,
            scope,
            variables,
            cluster_time,
            deadline: None,
            retry: None,
            views: 0,
        }
    }

    /// The same inside of a transaction, which is held until the command ends.
    #[must_use]
    pub fn within(mut self, transaction: &'a mut Transaction) -> Self {
        self.transaction = Some(transaction);
        self
    }

    /// Where statements go.
    pub fn handle(&mut self) -> Handle<'_> {
        let deadline = self.deadline;
        let handle = match &mut self.transaction {
            None => self.store.alone(),
            Some(transaction) => transaction.handle(),
        };
        handle.with_deadline(deadline)
    }

    /// The tries of one statement.
    #[must_use]
    pub fn tries(&self) -> Tries {
        match self.is_in_transaction() {
            true => Tries::in_transaction(self.deadline),
            false => Tries::begin(self.deadline),
        }
    }

    /// Whether it runs inside of a transaction.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Check the time, and whether the operation is still wanted.
    ///
    /// # Errors
    ///
    /// 50 when it is up; why it is not.
    pub fn check_time(&self) -> Result<(), Error> {
        self.variables.interrupt().check()?;
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(time_is_up()),
            _ => Ok(()),
        }
    }

    /// What the catalogue says of a collection or view.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn collection(&mut self, namespace: &Namespace) -> Result<Option<Collection>, Error> {
        self.handle().collection(namespace).await
    }

    /// The collection, for a write: not a view.
    ///
    /// # Errors
    ///
    /// 166 for a view; those of the store.
    pub async fn writable(&mut self, namespace: &Namespace) -> Result<Option<Collection>, Error> {
        let collection = self.collection(namespace).await?;
        if collection.as_ref().is_some_and(|found| found.kind() == CollectionKind::View) {
            return Err(is_a_view(namespace));
        }
        Ok(collection)
    }

    /// The collection, for a write; it is made where there is none.
    ///
    /// # Errors
    ///
    /// 166 for a view; those of the store.
    pub async fn writable_or_new(&mut self, namespace: &Namespace) -> Result<Collection, Error> {
        if let Some(collection) = self.writable(namespace).await? {
            return Ok(collection);
        }
        let new = NewCollection {
            kind: CollectionKind::Collection,
            options: ::bson::RawDocumentBuf::new(),
        };
        let (collection, _) = self.handle().create(namespace, &new).await?;
        if collection.kind() == CollectionKind::View {
            return Err(is_a_view(namespace));
        }
        Ok(collection)
    }

    /// Look up which statements of a retryable command have run before.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn look_up_records(&mut self) -> Result<(), Error> {
        let Some(mut retry) = self.retry.take() else { return Ok(()) };
        let looked_up = retry.look_up(self.handle()).await;
        self.retry = Some(retry);
        looked_up
    }

    /// The same, unless it was done; whether it was done now.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn look_up_records_once(&mut self) -> Result<bool, Error> {
        if self.retry.as_ref().is_none_or(Retry::is_looked_up) {
            return Ok(false);
        }
        self.look_up_records().await?;
        Ok(true)
    }

    /// How strings compare: as the command says, else as the collection does.
    ///
    /// # Errors
    ///
    /// Those of [`Collator::parse`].
    pub fn collator(
        collation: Option<&RawDocument>,
        collection: Option<&Collection>,
    ) -> Result<Collator, Error> {
        if let Some(collation) = collation.filter(|collation| !collation.is_empty()) {
            return Collator::parse(collation);
        }
        Ok(collection.map(|collection| collection.collator().clone()).unwrap_or_default())
    }

    /// The scope of expressions and filters, with a collation.
    #[must_use]
    pub fn scope_with(&self, collator: &Collator) -> Scope {
        self.scope.clone().with_collator(collator.clone())
    }
}

fn is_a_view(namespace: &Namespace) -> Error {
    Error::new(
        Code::COMMAND_NOT_SUPPORTED_ON_VIEW,
        format!("Namespace {namespace} is a view, not a collection"),
    )
}
