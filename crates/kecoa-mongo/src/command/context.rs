//! What a command is, and what it is given to run.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::interrupt::Interrupt;
use crate::session::{Held, ReadConcern, SessionId, Statement, WriteConcern};
use crate::wire::Request;

use super::api::Api;
use super::arguments::{Argument, Kind, Values};
use super::connection::Connection;
use super::gateway::{Gateway, OpenTransaction};

/// A command at work. It ends with its reply's fields, without `ok`.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<RawDocumentBuf, Error>> + Send + 'a>>;

/// The function of a command.
pub type Run = for<'a> fn(&'a mut Context<'_>) -> Running<'a>;

/// A command: its name, what it takes, what it may be, and its function.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// The name, as clients write it.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Which values the first field takes.
    pub value: Kind,
    /// The arguments of its own.
    pub arguments: &'static [Argument],
    /// Whether fields that nobody knows are let through.
    pub open: bool,
    /// Its part in the versioned API.
    pub api: Api,
    /// Whether it is there before anybody is logged in.
    pub anonymous: bool,
    /// What a user must be allowed to run it.
    pub privilege: Privilege,
    /// Whether only the database `admin` has it.
    pub admin: bool,
    /// Whether it is there with test commands only.
    pub test: bool,
    /// Whether a transaction may have it.
    pub transaction: bool,
    /// Whether it commits or aborts a transaction.
    pub ends: bool,
    /// Whether it is a write with retry records.
    pub retryable: bool,
    /// Which read concerns it takes.
    pub read_concern: ReadConcerns,
    /// Whether it takes a write concern.
    pub write_concern: bool,
    /// Whether `maxTimeMS` says how long it waits for data, not how long it may run.
    pub waits: bool,
    /// Its function.
    pub run: Run,
    /// What it does, for listCommands.
    pub help: &'static str,
}

/// Which read concerns a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadConcerns {
    /// None but the default.
    None,
    /// All but snapshot.
    Any,
    /// Snapshot as well.
    Snapshot,
}

/// What a user must be allowed on what a command names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// To be logged in is enough.
    None,
    /// To read documents.
    Read,
    /// To change documents.
    Write,
    /// To change collections and indexes.
    Administrate,
    /// To see what the server does.
    Monitor,
    /// To change what the server does.
    Operate,
    /// To see and change users.
    Users,
}

/// What a command is given.
#[derive(Debug)]
pub struct Context<'a> {
    /// What all clients share.
    pub gateway: &'a Gateway,
    /// The client.
    pub connection: &'a mut Connection,
    /// The command itself.
    pub definition: &'static Definition,
    /// All commands.
    pub commands: &'static [&'static Definition],
    /// The request.
    pub request: &'a Request,
    /// The value of the first field, checked as the definition says.
    pub value: RawBsonRef<'a>,
    /// The arguments of its own, checked.
    pub arguments: Values<'a>,
    /// The arguments that every command takes, checked.
    pub generic: Values<'a>,
    /// `$db`.
    pub database: &'a str,
    /// The session, if the client said one.
    pub session: Option<SessionId>,
    /// What the command is to its session.
    pub statement: Statement,
    /// The session's state, held while the command runs: for retryable writes, statements of a transaction,
    /// commit and abort.
    pub state: Option<Held<OpenTransaction>>,
    /// The read concern; that of the transaction's first statement only there.
    pub read_concern: ReadConcern,
    /// The write concern.
    pub write_concern: WriteConcern,
    /// When the command has to have ended, by `maxTimeMS`.
    pub deadline: Option<Instant>,
    /// Stops what the command computes.
    pub interrupt: Interrupt,
    /// Set by the command: the reply has errors, so the transaction is over.
    pub aborts: bool,
    /// Set by the command: the connection is closed without a reply.
    pub closes: bool,
    /// Set by the command: the client gets another reply after this one, without a request.
    pub again: Option<Again>,
}

/// What the next reply without a request answers.
#[derive(Clone, Debug)]
pub enum Again {
    /// The same request.
    Same,
    /// A request with another body.
    Body(RawDocumentBuf),
}

impl Context<'_> {
    /// The number of the transaction, `None` outside of one.
    #[must_use]
    pub fn transaction(&self) -> Option<i64> {
        self.statement.transaction()
    }

    /// Begins the transaction in the database, if the command belongs to one and it is not open there yet. It is
    /// `open` of the state then.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn open_transaction(&mut self) -> Result<(), Error> {
        if self.transaction().is_none() {
            return Ok(());
        }
        if let Some(state) = self.state.as_mut().filter(|state| state.open.is_none()) {
            state.open = Some(self.gateway.store()?.begin().await?);
        }
        Ok(())
    }

    /// The number of a retryable write, `None` when it is none.
    #[must_use]
    pub fn retryable_write(&self) -> Option<i64> {
        match self.statement {
            Statement::RetryableWrite(number) => Some(number),
            _ => None,
        }
    }
}

impl Definition {
    /// A command of this name that takes anything as its value, and nothing else.
    #[must_use]
    pub const fn new(name: &'static str, run: Run) -> Self {
        Self {
            name,
            aliases: &[],
            value: Kind::Any,
            arguments: &[],
            open: false,
            api: Api::Outside,
            anonymous: false,
            privilege: Privilege::None,
            admin: false,
            test: false,
            transaction: false,
            ends: false,
            retryable: false,
            read_concern: ReadConcerns::None,
            write_concern: false,
            waits: false,
            run,
            help: "",
        }
    }

    /// The same, whose value is the name of a collection.
    #[must_use]
    pub const fn collection(self) -> Self {
        self.value(Kind::Collection { code: Code::INVALID_NAMESPACE })
    }

    /// The same, to which a name of another type is a bad value.
    #[must_use]
    pub const fn typed_collection(self) -> Self {
        self.value(Kind::Collection { code: Code::BAD_VALUE })
    }

    /// The same, which takes these values.
    #[must_use]
    pub const fn value(mut self, kind: Kind) -> Self {
        self.value = kind;
        self
    }

    /// The same, which takes these arguments.
    #[must_use]
    pub const fn arguments(mut self, arguments: &'static [Argument]) -> Self {
        self.arguments = arguments;
        self
    }

    /// The same, which has other names too.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same, which lets unknown fields through.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// The same, which is part of version 1 of the API.
    #[must_use]
    pub const fn stable(mut self) -> Self {
        self.api = Api::Version1;
        self
    }

    /// The same, with this part in the API.
    #[must_use]
    pub const fn api(mut self, api: Api) -> Self {
        self.api = api;
        self
    }

    /// The same, which is there before anybody is logged in.
    #[must_use]
    pub const fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// The same, which needs this privilege.
    #[must_use]
    pub const fn needs(mut self, privilege: Privilege) -> Self {
        self.privilege = privilege;
        self
    }

    /// The same, which only `admin` has.
    #[must_use]
    pub const fn admin(mut self) -> Self {
        self.admin = true;
        self
    }

    /// The same, which is there with test commands only.
    #[must_use]
    pub const fn test(mut self) -> Self {
        self.test = true;
        self
    }

    /// The same, which a transaction may have.
    #[must_use]
    pub const fn in_transaction(mut self) -> Self {
        self.transaction = true;
        self
    }

    /// The same, which commits or aborts.
    #[must_use]
    pub const fn ends(mut self) -> Self {
        self.transaction = true;
        self.ends = true;
        self
    }

    /// The same, which is a write with retry records.
    #[must_use]
    pub const fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same, which takes these read concerns.
    #[must_use]
    pub const fn read_concern(mut self, concerns: ReadConcerns) -> Self {
        self.read_concern = concerns;
        self
    }

    /// The same, which takes a write concern.
    #[must_use]
    pub const fn write_concern(mut self) -> Self {
        self.write_concern = true;
        self
    }

    /// The same, whose `maxTimeMS` says how long it waits.
    #[must_use]
    pub const fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    /// The same with a line of help.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }
}
