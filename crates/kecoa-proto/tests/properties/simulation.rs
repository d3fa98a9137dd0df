//! A client, and a server that keeps the protocol as PostgreSQL does.

use bytes::{Buf, Bytes, BytesMut};
use kecoa_proto::frame::FrameDecoder;
use kecoa_proto::message::{backend, frontend};
use kecoa_proto::{Event, Limits, Reply, Request, Step};
use proptest::prelude::*;

use crate::support;

pub(crate) const STEPS: [Step<'static>; 4] = [
    Step::Parse { name: b"", sql: b"rows", types: &[] },
    Step::Bind { portal: b"", statement: b"", parameters: &[], results: &[] },
    Step::Describe(kecoa_proto::Target::Portal(b"")),
    Step::Execute { portal: b"", max_rows: 0 },
];

/// Something a client may do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// A simple query with this SQL, which the scripted server takes as what to do.
    Query(&'static str),
    Extended(&'static str),
    BareSync,
    Deliver,
    CopyData,
    CopyDone,
    CopyFail,
}

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let sql = || proptest::sample::select(&["rows", "none", "fail", "out", "in", "infail"][..]);
    prop_oneof![
        3 => sql().prop_map(Operation::Query),
        3 => sql().prop_map(Operation::Extended),
        1 => Just(Operation::BareSync),
        4 => Just(Operation::Deliver),
        2 => Just(Operation::CopyData),
        1 => Just(Operation::CopyDone),
        1 => Just(Operation::CopyFail),
    ]
}

/// A client and a server that keeps the protocol as PostgreSQL does.
pub(crate) struct Simulation {
    client: kecoa_proto::Connection,
    server: Server,
    cuts: Box<dyn Iterator<Item = usize>>,
    /// Requests that wait for their end, and how many results each has had.
    open: std::collections::VecDeque<kecoa_proto::RequestId>,
    submitted: usize,
    ended: usize,
}

impl Simulation {
    pub(crate) fn new(cuts: Vec<usize>) -> Simulation {
        Simulation {
            client: support::open(),
            server: Server::default(),
            cuts: Box::new(cuts.into_iter().cycle()),
            open: std::collections::VecDeque::new(),
            submitted: 0,
            ended: 0,
        }
    }

    pub(crate) fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Query(sql) => self.submit(&Request::Query(sql.as_bytes()), sql),
            Operation::Extended(sql) => {
                let mut steps = STEPS;
                steps[0] = Step::Parse { name: b"", sql: sql.as_bytes(), types: &[] };
                self.submit(&Request::Extended(&steps), sql);
            }
            Operation::BareSync => self.submit(&Request::Extended(&[]), ""),
            Operation::Deliver => self.deliver(),
            Operation::CopyData => {
                let _ = self.client.copy_data(b"1\n");
            }
            Operation::CopyDone => {
                let _ = self.client.copy_done();
            }
            Operation::CopyFail => {
                let _ = self.client.copy_fail(b"no");
            }
        }
    }

    fn submit(&mut self, request: &Request<'_>, sql: &str) {
        // Nothing may be pipelined around a COPY FROM.
        if sql.starts_with("in") {
            self.finish();
        }
        if let Ok(id) = self.client.submit(request) {
            self.open.push_back(id);
            self.submitted += 1;
            if sql.starts_with("in") {
                self.deliver();
            }
        }
    }

    fn deliver(&mut self) {
        while let Some(out) = self.client.poll_transmit() {
            let n = self.cuts.next().unwrap().min(out.len());
            self.server.input.extend_from_slice(&out[..n]);
            self.client.transmitted(n);
            self.server.serve();
            let mut reply = std::mem::take(&mut self.server.output);
            while !reply.is_empty() {
                let n = self.cuts.next().unwrap().min(reply.len());
                self.client.read_buffer().extend_from_slice(&reply.split_to(n));
                while let Some(event) = self.client.poll_event().unwrap() {
                    let Event::Reply(id, reply) = event else { panic!("{event:?}") };
                    assert_eq!(Some(&id), self.open.front());
                    if let Reply::Ready(_) = reply {
                        self.open.pop_front();
                        self.ended += 1;
                    }
                }
            }
        }
    }

    pub(crate) fn finish(&mut self) {
        self.deliver();
        let _ = self.client.copy_done();
        self.deliver();
        assert_eq!(self.submitted, self.ended);
        assert_eq!(self.client.pending(), 0);
        let eof = self.client.poll_transmit();
        assert_eq!(eof, None);
    }
}

#[derive(Default)]
struct Server {
    input: BytesMut,
    output: BytesMut,
    sql: Bytes,
    /// After an error in the extended protocol: until Sync.
    skipping: bool,
    /// A COPY FROM: whether it is a simple query's, and whether it fails at the next data.
    copying: Option<(bool, bool)>,
}

impl Server {
    fn send(&mut self, message: &backend::Message) {
        message.encode(&mut self.output).unwrap();
    }

    fn serve(&mut self) {
        let mut decoder = FrameDecoder::new(Limits::default());
        while let Some(frame) = decoder.decode(&mut self.input).unwrap() {
            let message = frontend::Message::decode(frame.tag, frame.body).unwrap();
            self.take(message);
        }
    }

    fn fail(&mut self, simple: bool) {
        self.send(&support::failure());
        self.copying = None;
        if simple {
            self.send(&support::ready());
        } else {
            self.skipping = true;
        }
    }

    fn take(&mut self, message: frontend::Message) {
        use frontend::Message as M;
        if let Some((simple, fails)) = self.copying {
            match message {
                M::CopyData(_) if fails => self.fail(simple),
                M::CopyData(_) | M::Sync | M::Flush => {}
                M::CopyDone => {
                    self.copying = None;
                    self.send(&support::tag("COPY 1"));
                    if simple {
                        self.send(&support::ready());
                    }
                }
                M::CopyFail(_) => self.fail(simple),
                other => panic!("{other:?} during COPY"),
            }
            return;
        }
        match message {
            M::Sync => {
                self.skipping = false;
                self.send(&support::ready());
            }
            // PostgreSQL ignores what is left of a COPY.
            M::CopyData(_) | M::CopyDone | M::CopyFail(_) => {}
            _ if self.skipping => {}
            M::Query(query) => {
                self.sql = query.sql;
                self.execute(true);
                if self.copying.is_none() {
                    self.send(&support::ready());
                }
            }
            M::Parse(parse) => {
                self.sql = parse.sql;
                self.send(&backend::Message::ParseComplete);
            }
            M::Bind(_) => self.send(&backend::Message::BindComplete),
            M::Describe(_) => {
                let rows = self.sql == "rows";
                self.send(&if rows { support::columns(2) } else { backend::Message::NoData });
            }
            M::Execute(_) => self.execute(false),
            other => panic!("{other:?}"),
        }
    }

    fn execute(&mut self, simple: bool) {
        match self.sql.chunk() {
            b"rows" => {
                if simple {
                    self.send(&support::columns(2));
                }
                for _ in 0..3 {
                    self.send(&support::row(&[Some("1"), None]));
                }
                self.send(&support::tag("SELECT 3"));
            }
            b"none" => self.send(&support::tag("SET")),
            b"out" => {
                self.send(&backend::Message::CopyOutResponse(support::copy()));
                self.send(&backend::Message::CopyData(Bytes::from_static(b"1\n")));
                self.send(&backend::Message::CopyDone);
                self.send(&support::tag("COPY 1"));
            }
            b"in" | b"infail" => {
                self.send(&backend::Message::CopyInResponse(support::copy()));
                self.copying = Some((simple, self.sql == "infail"));
            }
            _ => {
                self.send(&support::failure());
                self.skipping = !simple;
            }
        }
    }
}
