//! The columns of a result under the names that the client gave them.

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use kecoa_sql::Statement;

use super::messages::{put, put_parts};
use super::replies::string;
use crate::dialect::long_names::given;

/// The one column of EXPLAIN, which CockroachDB calls `info`.
const PLAN: &[u8] = b"\0\x01QUERY PLAN\0";

/// The bytes behind a column's name: table, number, type, length, modifier, format.
const BEHIND_NAME: usize = 18;

/// So many names are remembered for results that are described later.
const CAP: usize = 16_384;

/// The names that are too long for PostgreSQL, by what stands for them. That is made of all of the name, so
/// that one session needs one map.
#[derive(Debug, Default)]
pub(super) struct ColumnNames(HashMap<Bytes, Bytes>);

impl ColumnNames {
    /// Remembers the names that a statement gives.
    pub(super) fn note(&mut self, statement: &Statement<'_>) {
        let names = given(statement);
        if self.0.len() + names.len() > CAP {
            self.0.clear();
        }
        self.0.extend(names.into_iter().map(|(long, short)| (short.into(), long.into())));
    }

    /// Appends a RowDescription with the client's names; its body is PostgreSQL's.
    pub(super) fn put(&self, body: &Bytes, out: &mut BytesMut) {
        if let Some(behind) = body.strip_prefix(PLAN) {
            put_parts(out, b'T', &[b"\0\x01info\0", behind]);
            return;
        }
        match self.restored(body) {
            Some(restored) => put(out, b'T', &restored),
            None => put(out, b'T', body),
        }
    }

    /// The body with the client's names; `None` when it has none of them.
    fn restored(&self, body: &Bytes) -> Option<BytesMut> {
        if self.0.is_empty() {
            return None;
        }
        let mut restored = BytesMut::with_capacity(body.len());
        let mut found = false;
        restored.put_slice(body.get(..2)?);
        let mut rest = body.slice(2..);
        while !rest.is_empty() {
            let (name, behind) = string(&rest)?;
            let long = self.0.get(&name);
            found |= long.is_some();
            restored.put_slice(long.unwrap_or(&name));
            restored.put_u8(0);
            restored.put_slice(behind.get(..BEHIND_NAME)?);
            rest = behind.slice(BEHIND_NAME..);
        }
        found.then_some(restored)
    }
}
