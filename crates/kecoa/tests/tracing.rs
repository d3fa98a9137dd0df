//! Spans and their fields, as a subscriber sees them.
#![cfg(feature = "tracing")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kecoa::blocking::Client;
use kecoa::retry::{Jitter, Policy};
use kecoa::{Config, Error, TransactionOptions};
use kecoa_pgmock::{Script, Server};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

const SECRET: &str = "s3cr3t-m4rk3r";

/// Spans by id in the order in which they began, and events; with the names of their parents.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Noted>>>);

/// The span's id, or nothing for an event; the name, and the fields.
type Noted = (Option<u64>, String, BTreeMap<String, String>);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        attributes.record(&mut Fields(&mut fields));
        let parent = context.span(id).and_then(|span| span.parent()).map(|span| span.name());
        let name = attributes.metadata().name();
        let name = parent.map_or(name.to_owned(), |parent| format!("{parent}/{name}"));
        self.0.lock().unwrap().push((Some(id.into_u64()), name, fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut seen = self.0.lock().unwrap();
        let span = seen.iter_mut().rev().find(|(known, ..)| *known == Some(id.into_u64()));
        values.record(&mut Fields(&mut span.unwrap().2));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        let parent = context.event_span(event).map_or("", |span| span.name());
        self.0.lock().unwrap().push((None, format!("{parent}: event"), fields));
    }
}

impl Seen {
    fn take(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let seen = std::mem::take(&mut *self.0.lock().unwrap());
        seen.into_iter().map(|(_, name, fields)| (name, fields)).collect()
    }
}

fn begun() -> Script {
    Script::new().query("BEGIN;UPDATE a SET x = 'hidden'").complete("BEGIN")
}

/// Whether statements are told is the whole process's: one test at a time.
static TURN: Mutex<()> = Mutex::new(());

/// A server that answers two statements and a transaction in two attempts.
fn served(transaction: Script) -> (Server, Config) {
    let script = Script::new()
        .startup()
        .query("SELECT 'hidden'")
        .complete("SELECT 0")
        .ready('I')
        .failing("TABLE b", "42P01", 'I')
        .then(transaction)
        .terminate();
    let server = Server::start(vec![script]);
    let port = server.port();
    let text =
        format!("host=127.0.0.1 port={port} user=u dbname=bank sslmode=disable password={SECRET}");
    let config = Config::parse(&text).unwrap();
    let config = config.resolve(&kecoa::config::Environment::empty()).unwrap();
    (server, config)
}

fn quick() -> TransactionOptions {
    let policy =
        Policy { first_delay: Duration::from_millis(1), jitter: Jitter::None, ..Policy::default() };
    TransactionOptions { policy, ..TransactionOptions::default() }
}

#[test]
fn rows_read_into_types_have_a_span_as_well() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = Server::start(vec![Script::new().startup().terminate()]);
    let text = format!("host=127.0.0.1 port={} user=u sslmode=disable", server.port());
    let config = Config::parse(&text).unwrap();
    let config = config.resolve(&kecoa::config::Environment::empty()).unwrap();
    let mut client = Client::connect(&config).unwrap();
    client.close();
    let seen = Seen::default();
    let subscriber = tracing_subscriber::registry().with(seen.clone());
    tracing::subscriber::with_default(subscriber, || {
        client.query_as::<(i32,)>("SELECT 1", &[]).unwrap_err();
    });
    let spans = seen.take();
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(spans[0].1.get("error.type").map(String::as_str), Some("ConnectionLost"));
}

#[test]
fn spans_have_the_fields_of_the_conventions() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let transaction = begun()
        .error("40001", "restart transaction: x")
        .ready('E')
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .then(begun())
        .complete("UPDATE 1")
        .ready('T')
        .simple("COMMIT", "COMMIT", 'I');
    let (server, config) = served(transaction);
    let port = server.port().to_string();

    let seen = Seen::default();
    let subscriber = tracing_subscriber::registry().with(seen.clone());
    tracing::subscriber::with_default(subscriber, || {
        let mut client = Client::connect(&config).unwrap();
        client.batch("SELECT 'hidden'").unwrap();
        client.batch("TABLE b").unwrap_err();
        let body = |tx: &mut kecoa::blocking::Transaction<'_>| -> Result<(), Error> {
            tx.batch("UPDATE a SET x = 'hidden'").map(drop)
        };
        client.transaction_with(&quick(), body).unwrap();
    });
    let spans = seen.take();
    let names: Vec<_> = spans.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "connect",
        "query",
        "query",
        "transaction",
        "transaction/query",
        "transaction: event",
        "transaction/query",
    ];
    assert_eq!(names, expected);
    let field = |at: usize, name: &str| spans[at].1.get(name).map(String::as_str);
    for at in [0, 1, 2, 3, 4, 6] {
        assert_eq!(field(at, "db.system.name"), Some("postgresql"), "{at}");
        assert_eq!(field(at, "server.address"), Some("127.0.0.1"), "{at}");
        assert_eq!(field(at, "server.port"), Some(port.as_str()), "{at}");
    }
    assert_eq!(field(0, "db.namespace"), Some("bank"));
    assert_eq!(field(1, "db.operation.name"), Some("SELECT"));
    assert_eq!((field(1, "error.type"), field(2, "error.type")), (None, Some("42P01")));
    assert_eq!(field(4, "error.type"), Some("40001"));
    assert_eq!(field(5, "error.type"), Some("40001"));
    assert_eq!(field(5, "kecoa.attempt"), Some("1"));
    assert_eq!(field(5, "kecoa.decision"), Some("retry"));
    assert_eq!(field(5, "kecoa.wait_ms"), Some("1.0"));
    assert_eq!(field(3, "error.type"), None, "it was committed in the end");
    let everything = format!("{spans:?}");
    assert!(!everything.contains("hidden") && !everything.contains(SECRET), "{everything}");

    kecoa::observability::set_query_text(true);
    let subscriber = tracing_subscriber::registry().with(seen.clone());
    tracing::subscriber::with_default(subscriber, || {
        // The connection of before is gone; what fails to connect has a span, too.
        Client::connect(&config).unwrap_err();
    });
    kecoa::observability::set_query_text(false);
    let spans = seen.take();
    assert_eq!(spans[0].1.get("error.type").map(String::as_str), Some("Connect"));
}

#[test]
#[cfg(feature = "tokio")]
fn the_client_for_tokio_has_the_same_spans() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let update = "UPDATE a SET x = 'hidden'";
    let transaction = Script::new()
        .simple("BEGIN", "BEGIN", 'T')
        .failing(update, "40001", 'E')
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .simple("BEGIN", "BEGIN", 'T')
        .simple(update, "UPDATE 1", 'T')
        .simple("COMMIT", "COMMIT", 'I');
    let (_server, config) = served(transaction);
    let seen = Seen::default();
    let subscriber = tracing_subscriber::registry().with(seen.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let mut client = kecoa::Client::connect(&config).await.unwrap();
            client.batch("SELECT 'hidden'").await.unwrap();
            client.batch("TABLE b").await.unwrap_err();
            let body = async |tx: &mut kecoa::Transaction<'_>| -> Result<(), Error> {
                tx.batch(update).await.map(drop)
            };
            client.transaction_with(&quick(), body).await.unwrap();
        });
    });
    let spans = seen.take();
    let names: Vec<_> = spans.iter().map(|(name, _)| name.as_str()).collect();
    // Connecting happens on another thread, which this subscriber is not that of.
    let expected = [
        "query",
        "query",
        "transaction",
        "transaction/query",
        "transaction: event",
        "transaction/query",
    ];
    assert_eq!(names, expected);
    let error = |at: usize| spans[at].1.get("error.type").map(String::as_str);
    let errors: Vec<_> = (0..names.len()).map(error).collect();
    assert_eq!(errors, [None, Some("42P01"), None, Some("40001"), Some("40001"), None]);
    assert!(!format!("{spans:?}").contains("hidden"));
}
