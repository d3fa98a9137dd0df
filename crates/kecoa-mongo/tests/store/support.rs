//! A database for a test, and short ways to say what the store does.

use std::sync::atomic::{AtomicU32, Ordering};

use bson::{RawBson, RawDocumentBuf, rawdoc};
use kecoa::Config;
use kecoa::blocking::Client;
use kecoa_mongo::bson::key::Key;
use kecoa_mongo::error::Error;
use kecoa_mongo::plan::access::{Access, Order};
use kecoa_mongo::store::{
    Checked, Collection, CollectionKind, Handle, Inserted, Lock, Namespace, NewCollection,
    NewDocument, Options, PageLimit, Record, RecordId, Store, Stored,
};

/// A database of one test, dropped with it.
pub(crate) struct Database {
    server: Config,
    name: String,
}

impl Database {
    pub(crate) fn new() -> Option<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(dsn) = std::env::var("KECOA_TEST_DSN") else {
            println!("skipped: KECOA_TEST_DSN is not set");
            return None;
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kecoa_mongo_{}_{number}", std::process::id());
        let server = Config::parse(&dsn).unwrap();
        let mut client = Client::connect(&server).unwrap();
        client.batch(&format!("CREATE DATABASE {name}")).unwrap();
        Some(Database { server, name })
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = self.server.clone();
        config.set_dbname(&self.name).unwrap();
        config
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.config(), Options::default()).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut client) = Client::connect(&self.server) {
            let _ = client.batch(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

/// Runs a test with a store, where there is a server.
pub(crate) fn with_store<F: Future<Output = ()>>(test: impl FnOnce(Store) -> F) {
    with_database(async |database| test(database.store().await).await);
}

pub(crate) fn with_database(test: impl AsyncFnOnce(&Database)) {
    let Some(database) = Database::new() else { return };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test(&database));
}

pub(crate) fn namespace() -> Namespace {
    Namespace::new("db", "c").unwrap()
}

pub(crate) async fn create(handle: &mut Handle<'_>) -> Collection {
    let new = NewCollection { kind: CollectionKind::Collection, options: rawdoc! {} };
    handle.create(&namespace(), &new).await.unwrap().0
}

pub(crate) fn new(document: RawDocumentBuf) -> NewDocument {
    NewDocument { document, record: None }
}

pub(crate) fn current<T>(checked: Checked<T>) -> T {
    match checked {
        Checked::Current(value) => value,
        Checked::Stale => panic!("expected a current answer, found a stale one"),
    }
}

pub(crate) fn is_stale<T>(checked: &Checked<T>) -> bool {
    matches!(checked, Checked::Stale)
}

/// Inserts, with whatever the catalogue says by now.
pub(crate) async fn insert(
    handle: &mut Handle<'_>,
    documents: &[NewDocument],
    ordered: bool,
) -> Result<Inserted, Error> {
    loop {
        let collection = handle.collection(&namespace()).await?.unwrap();
        if let Checked::Current(inserted) = handle.insert(&collection, documents, ordered).await? {
            return Ok(inserted);
        }
    }
}

pub(crate) async fn find(handle: &mut Handle<'_>, access: &Access) -> Vec<Stored> {
    find_in_pages(handle, access, PageLimit::default()).await
}

pub(crate) async fn find_in_pages(
    handle: &mut Handle<'_>,
    access: &Access,
    limit: PageLimit,
) -> Vec<Stored> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let collection = handle.collection(&namespace()).await.unwrap().unwrap();
        let page = handle.page(&collection, access, after.as_ref(), limit, Lock::None).await;
        let Checked::Current(page) = page.unwrap() else { continue };
        found.extend(page.stored().unwrap());
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

pub(crate) fn by_id(id: impl Into<RawBson>) -> Access {
    let id = id.into();
    Access::Ids { keys: vec![Key::of(id.as_raw_bson_ref())], order: Order::Forward }
}

pub(crate) fn all() -> Access {
    Access::All { order: Order::Forward }
}

pub(crate) fn ids(documents: &[Stored]) -> Vec<i32> {
    documents.iter().map(|document| document.document.get_i32("_id").unwrap()).collect()
}

pub(crate) fn record(transaction: i64, statement: i32) -> Record {
    let id = RecordId { session: b"session".to_vec(), transaction, statement };
    Record { id, reply: format!("reply {statement}").into_bytes() }
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> i32 {
    result.unwrap_err().code().number()
}
