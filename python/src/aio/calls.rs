//! Statements of the extended protocol: what they are made of, for as long as they are under way.

use std::collections::VecDeque;
use std::sync::Arc;

use kecoa::blocking::Client;
use kecoa::call::{CallPlan, PendingCall, Settled};
use kecoa::{Error, Never};
use kecoa_proto::{Format, Parameter, Request, RequestId, Step, Target};
use pyo3::prelude::*;

use crate::convert::formats::Formats;
use crate::convert::layout::Layout;
use crate::dbapi::connection::Connection;
use crate::dbapi::cursor::Cursor;
use crate::dbapi::cursor::binding::BoundCall;

const UNNAMED: &[u8] = b"";

/// A statement with its values beside it.
pub(super) struct Call {
    pub(super) call: BoundCall,
    /// BEGIN in front.
    begin: Option<Arc<[u8]>>,
    /// How the columns load, once they are known, and whether the session's time zone is UTC.
    layout: Option<(Arc<Layout>, bool)>,
}

impl Call {
    /// Decides how to send it. `pipelined`: statements before it may be under way, and others may be
    /// sent behind it.
    pub(super) fn plan(
        cursor: &Bound<'_, Cursor>,
        connection: &Bound<'_, Connection>,
        call: BoundCall,
        begin: Option<Arc<[u8]>>,
        pipelined: bool,
    ) -> PyResult<(Call, Option<CallPlan>)> {
        let py = cursor.py();
        let planned = connection.get().plan_call(call.sql(), &call.values().types, pipelined);
        let mut layout = None;
        if let Some((plan, utc)) = &planned
            && let Some(description) = plan.description()
        {
            layout = Some((cursor.get().layout_of(py, description)?, *utc));
        }
        // One of those before it may change the time zone.
        let layout = layout.filter(|(layout, utc)| {
            !(pipelined && layout.formats(*utc).is_some_and(Formats::needs_utc))
        });
        Ok((Call { call, begin, layout }, planned.map(|(plan, _)| plan)))
    }

    /// The forms in which the columns are asked for, where not all come as text.
    fn formats(&self) -> Option<&Formats> {
        let (layout, utc) = self.layout.as_ref()?;
        layout.formats(*utc)
    }

    pub(super) fn submit(
        &self,
        client: &mut Client,
        plan: Option<CallPlan>,
    ) -> Result<PendingCall, Error> {
        self.call.with_results(self.begin.as_deref(), self.formats(), |request| {
            let plan = plan.unwrap_or_else(|| client.plan_call(request.sql, request.types));
            client.submit_call(plan, request)
        })
    }

    /// Takes the answer, or sends the statement once more where its preparation went stale.
    pub(super) fn settle(
        &self,
        client: &mut Client,
        pending: PendingCall,
    ) -> Result<Settled, Error> {
        self.call.with_results(self.begin.as_deref(), self.formats(), |request| {
            client.settle_call(pending, request, &mut Never)
        })
    }
}

/// What `executemany` sends at a time.
pub(super) enum ManyRequest {
    /// The same statement with several sets of values, in one request: they succeed or fail together.
    Bound(Vec<BoundCall>),
    /// A statement as text.
    Text(Vec<u8>),
}

impl ManyRequest {
    /// Gathers what can go together, in order.
    pub(super) fn of(statements: Vec<Result<BoundCall, Vec<u8>>>) -> VecDeque<ManyRequest> {
        let mut requests: VecDeque<ManyRequest> = VecDeque::new();
        for statement in statements {
            match (statement, requests.back_mut()) {
                (Ok(call), Some(ManyRequest::Bound(calls))) => calls.push(call),
                (Ok(call), _) => requests.push_back(ManyRequest::Bound(vec![call])),
                (Err(text), _) => requests.push_back(ManyRequest::Text(text)),
            }
        }
        requests
    }
}

/// Queues one statement with several sets of values.
pub(super) fn submit_many(client: &mut Client, calls: &[BoundCall]) -> Result<RequestId, Error> {
    let (portal, statement) = (UNNAMED, UNNAMED);
    let count = calls.iter().map(|call| call.values().types.len()).sum();
    let mut values: Vec<Parameter<'_>> = Vec::with_capacity(count);
    calls.iter().for_each(|call| values.extend(call.values().each()));
    let mut values = &*values;
    let mut steps = Vec::with_capacity(2 * calls.len() + 1);
    let mut parsed: Option<&BoundCall> = None;
    for call in calls {
        let types = &call.values().types;
        let parameters;
        (parameters, values) = values.split_at_checked(types.len()).unwrap_or_default();
        if parsed.is_none_or(|last| last.values().types != *types || last.sql() != call.sql()) {
            steps.push(Step::Parse { name: UNNAMED, sql: call.sql(), types });
            parsed = Some(call);
        }
        steps.push(Step::Bind { portal, statement, parameters, results: &[] });
        steps.push(Step::Execute { portal, max_rows: 0 });
    }
    if steps.is_empty() {
        return Err(Error::usage("expected values, found none"));
    }
    client.submit(&Request::Extended(&steps))
}

/// Queues a statement without values, BEGIN in front where it is due.
pub(super) fn submit_bare(
    client: &mut Client,
    begin: Option<&[u8]>,
    sql: &[u8],
) -> Result<RequestId, Error> {
    let bind = Step::Bind {
        portal: UNNAMED,
        statement: UNNAMED,
        parameters: &[],
        results: &[Format::Text],
    };
    let run = Step::Execute { portal: UNNAMED, max_rows: 0 };
    let mut steps = Vec::with_capacity(7);
    if let Some(begin) = begin {
        steps.extend([Step::Parse { name: UNNAMED, sql: begin, types: &[] }, bind, run]);
    }
    steps.extend([
        Step::Parse { name: UNNAMED, sql, types: &[] },
        bind,
        Step::Describe(Target::Portal(UNNAMED)),
        run,
    ]);
    client.submit(&Request::Extended(&steps))
}

/// Whether the extended protocol takes it: one statement for certain, and no COPY, which may have to
/// be refused in the middle.
pub(super) fn is_one_statement(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii();
    let sql = sql.strip_suffix(b";").unwrap_or(sql);
    let copies = sql.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"copy"));
    !copies && memchr::memchr(b';', sql).is_none()
}

#[cfg(test)]
mod tests {
    use super::is_one_statement;

    #[test]
    fn several_statements_are_told_from_one() {
        assert!(is_one_statement(b"SELECT 1"));
        assert!(is_one_statement(b" SELECT 1 ; \n"));
        assert!(!is_one_statement(b"SELECT 1; SELECT 2"));
        // Not for certain.
        assert!(!is_one_statement(b"SELECT ';'"));
        assert!(!is_one_statement(b"copy t FROM STDIN"));
    }
}
