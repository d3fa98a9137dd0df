//! Where CockroachDB's SQLSTATE for an error is another than PostgreSQL's.

/// An error of PostgreSQL's, and what CockroachDB calls it.
#[derive(Debug)]
pub(super) struct Other {
    code: &'static str,
    /// What tells it from others of its code: a field, and a part of it. PostgreSQL's messages are English
    /// here, and the names of its routines are so anywhere.
    mark: Option<(u8, &'static str)>,
    /// CockroachDB's code.
    pub(super) becomes: &'static str,
    /// Words of the message, and CockroachDB's.
    pub(super) words: Option<(&'static str, &'static str)>,
}

const OTHERS: [Other; 6] = [
    // PostgreSQL 18 tells RESTRICT from NO ACTION.
    Other {
        code: "23001",
        mark: None,
        becomes: "23503",
        words: Some(("violates RESTRICT setting of foreign key", "violates foreign key")),
    },
    // An operator that does not exist for these types, or for which several would do.
    Other { code: "42883", mark: Some((b'R', "op_error")), becomes: "22023", words: None },
    Other { code: "42725", mark: Some((b'R', "op_error")), becomes: "22023", words: None },
    // A value for a computed column; an identity column keeps PostgreSQL's code.
    Other {
        code: "428C9",
        mark: Some((b'D', "is a generated column")),
        becomes: "55000",
        words: None,
    },
    // Two that change the same object: CockroachDB has them retried.
    Other {
        code: "XX000",
        mark: Some((b'R', "simple_heap_update")),
        becomes: "40001",
        words: None,
    },
    Other {
        code: "XX000",
        mark: Some((b'R', "simple_heap_delete")),
        becomes: "40001",
        words: None,
    },
];

/// What CockroachDB calls an error of this code with these fields, if it is another.
pub(super) fn other<'a>(
    code: &str,
    field: impl Fn(u8) -> Option<&'a [u8]>,
) -> Option<&'static Other> {
    OTHERS.iter().find(|other| {
        other.code == code
            && other.mark.is_none_or(|(name, part)| {
                let value = field(name).unwrap_or_default();
                memchr::memmem::find(value, part.as_bytes()).is_some()
            })
    })
}
