//! A statement that the server has parsed and described.

use std::sync::Arc;

use kecoa_proto::{Request, RowDescription, Step, Target};

use crate::error::Error;
use crate::row::ResultSet;
use crate::session::cache::Plan;
use crate::session::core::Session;

/// A statement that the server has parsed: the types of its parameters, and its columns.
///
/// Preparing is never needed for speed: a client prepares by itself what is used more than once.
/// It checks a statement without running it, tells what it takes and gives, and spares the first
/// uses what they otherwise pay: run it by its [`sql`](Statement::sql), on any connection.
///
/// ```
/// # kecoa::example::blocking(|client| {
/// let statement = client.prepare("SELECT $1::int8 + 1 AS next")?;
/// assert_eq!(statement.parameter_types(), [kecoa::types::oid::INT8]);
/// assert_eq!(statement.columns().collect::<Vec<_>>(), ["next"]);
/// let row = client.query_one(statement.sql(), &[&41_i64])?;
/// assert_eq!(row.get::<i64>("next")?, 42);
/// # Ok(()) });
/// ```
#[derive(Clone, Debug)]
pub struct Statement {
    sql: Arc<str>,
    parameters: Arc<[u32]>,
    description: Option<Arc<RowDescription>>,
}

impl Statement {
    /// Its text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The types of its parameters, as oids.
    #[must_use]
    pub fn parameter_types(&self) -> &[u32] {
        &self.parameters
    }

    /// The columns of its rows; nothing when it returns none.
    #[must_use]
    pub fn description(&self) -> Option<&RowDescription> {
        self.description.as_deref()
    }

    /// The names of its columns.
    pub fn columns(&self) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
        let fields = self.description.iter().flat_map(|description| &description.fields);
        fields.map(|field| String::from_utf8_lossy(&field.name))
    }
}

/// A statement that is being prepared.
#[derive(Debug)]
pub(crate) struct Preparing {
    pub(crate) id: kecoa_proto::RequestId,
    name: Option<Arc<str>>,
}

/// Queues Parse and Describe, under a name where the cache has room for one.
pub(crate) fn submit(session: &mut Session, sql: &str) -> Result<Preparing, Error> {
    let name = match session.statements().plan_now(sql.as_bytes()) {
        Plan::Prepare(name) => Some(name),
        Plan::Unnamed | Plan::Prepared(..) => None,
    };
    let target = name.as_deref().unwrap_or_default().as_bytes();
    let steps = [
        Step::Parse { name: target, sql: sql.as_bytes(), types: &[] },
        Step::Describe(Target::Statement(target)),
    ];
    let id = session.submit(&Request::Extended(&steps))?;
    Ok(Preparing { id, name })
}

/// Makes the statement of what the server answered.
pub(crate) fn settle(
    session: &mut Session,
    preparing: Preparing,
    sql: &str,
    sets: Result<Vec<ResultSet>, Error>,
) -> Result<Statement, Error> {
    let set = sets?.into_iter().next().unwrap_or_default();
    let parameters: Arc<[u32]> = set.parameters.unwrap_or_default().into();
    if let Some(name) = preparing.name {
        let description = set.description.clone();
        session.statements().remember_now(sql.as_bytes(), &parameters, name, description);
    }
    Ok(Statement { sql: sql.into(), parameters, description: set.description })
}
