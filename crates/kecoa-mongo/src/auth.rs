//! Credentials, users, roles.
//!
//! Nothing here reads a socket or a table. A login: [`Start::parse`] reads saslStart's arguments and says
//! [whose](Start::user) credentials are needed; [`Start::begin`] makes of them a [`Conversation`], which
//! [`Conversation::step`] ends. What a user may do follows from its roles, those that are always there
//! and those that users have made: [`Access::of`] and [`Access::allows`].

mod access;
mod action;
mod builtin;
mod conversation;
mod credentials;
mod exchange;
mod mechanism;
mod names;
mod privilege;
mod role;
mod user;

pub use access::Access;
pub use action::Action;
pub use builtin::{BUILTIN_ROLES, Builtin, builtin};
pub use conversation::{Conversation, Start, StepResult};
pub use credentials::{Credentials, Decoy, PasswordError};
pub use exchange::ExchangeError;
pub use mechanism::Mechanism;
pub use names::{RoleName, UserName};
pub use privilege::{Privilege, Resource, Target, merged};
pub use role::Role;
pub(crate) use user::Shown;
pub use user::User;
