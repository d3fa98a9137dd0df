//! Statements of the extended protocol: what they are made of, for as long as they are under way.

use std::sync::Arc;

use kecoa::blocking::Client;
use kecoa::call::{CallRequest, PendingCall, Results, Settled};
use kecoa::{Error, Never};
use kecoa_proto::Format;

/// A statement's companions: its text is kept apart, for errors.
pub(super) struct Call {
    begin: Option<Arc<[u8]>>,
}

impl Call {
    /// A statement without parameters.
    pub(super) fn bare(begin: Option<Arc<[u8]>>) -> Call {
        Call { begin }
    }

    fn request<'a>(&'a self, sql: &'a [u8]) -> CallRequest<'a> {
        CallRequest {
            begin: self.begin.as_deref(),
            sql,
            types: &[],
            parameters: &[],
            results: Results::All(Format::Text),
        }
    }

    pub(super) fn submit(&self, client: &mut Client, sql: &[u8]) -> Result<PendingCall, Error> {
        let request = self.request(sql);
        let plan = client.plan_call(request.sql, request.types);
        client.submit_call(plan, &request)
    }

    pub(super) fn settle(
        &self,
        client: &mut Client,
        sql: &[u8],
        pending: PendingCall,
    ) -> Result<Settled, Error> {
        client.settle_call(pending, &self.request(sql), &mut Never)
    }
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
