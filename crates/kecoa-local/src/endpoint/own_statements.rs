//! Statements of the endpoint's own among the client's, in the extended protocol.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use super::expect::{Expect, Source};
use super::messages::put;
use super::run::Run;
use super::session::Session;
use crate::dialect::plan::{OnError, Piece};

/// The name of the endpoint's own statements and portals.
pub(super) const OWN: &[u8] = b"_kecoa";

/// Appends a message of strings, each with its NUL, and a tail.
pub(super) fn put_strings(out: &mut BytesMut, tag: u8, parts: &[&[u8]], tail: &[u8]) {
    let mut body = BytesMut::new();
    for part in parts {
        body.put_slice(part);
        body.put_u8(0);
    }
    body.put_slice(tail);
    put(out, tag, &body);
}

impl Session {
    /// Sends a statement of the endpoint's own: Close, Parse, Bind, perhaps Describe, Execute.
    /// `described` asks for the RowDescription a simple query has.
    pub(super) fn put_piece(
        &mut self,
        name: &[u8],
        piece: &Piece,
        run: Run,
        described: bool,
        client: Option<Bytes>,
    ) {
        let source = client.map(|client| (Arc::new(piece.sql.clone()), client));
        let on_error = piece.on_error;
        self.put_own(name, &piece.sql.text, source.clone(), on_error);
        if described {
            put(&mut self.backend.output, b'D', b"P\0");
            self.expected.push_back(Expect::Describe { visible: true, no_data: false });
        }
        put_strings(&mut self.backend.output, b'E', &[name], &[0; 4]);
        let run = Box::new(run);
        self.expected.push_back(Expect::Execute { run, collect: false, source });
    }

    /// Sends a statement of the endpoint's own up to its Bind.
    pub(super) fn put_own(&mut self, name: &[u8], sql: &[u8], source: Source, on_error: OnError) {
        let out = &mut self.backend.output;
        self.unsynced = true;
        if !name.is_empty() {
            // One may be left from a pipeline that failed.
            put_strings(out, b'C', &[&[b"S", name].concat()], &[]);
            put_strings(out, b'C', &[&[b"P", name].concat()], &[]);
            self.expected.push_back(Expect::Close { visible: false });
            self.expected.push_back(Expect::Close { visible: false });
        }
        put_strings(out, b'P', &[name, sql], &[0; 2]);
        put_strings(out, b'B', &[name, name], &[0; 6]);
        let bind = source.clone();
        self.expected.push_back(Expect::Parse { visible: false, undo: None, on_error, source });
        self.expected.push_back(Expect::Bind { visible: false, portal: None, source: bind });
    }
}
