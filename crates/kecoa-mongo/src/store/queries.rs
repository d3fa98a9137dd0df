//! The texts of reads.
//!
//! Each is about one collection, `$1`, and gives a row at least, with the version of the catalogue: so the same
//! statement tells whether what was planned still holds. Columns: version, id_key, ver, doc, and the entry's key.

use super::parts::Tables;
use crate::plan::access::Order;

/// One document.
pub(super) fn one(tables: &Tables) -> String {
    let document = &tables.document;
    format!(
        "SELECT c.version, d.id_key, d.ver, d.doc FROM kecoa_mongo.collection c \
         LEFT JOIN {document} d ON d.coll = $1 AND d.id_key = $2 WHERE c.coll = $1"
    )
}

/// One document, that others may not change.
pub(super) fn one_locked(tables: &Tables) -> String {
    let document = &tables.document;
    format!(
        "SELECT c.version, d.id_key, d.ver, d.doc FROM kecoa_mongo.collection c \
         LEFT JOIN LATERAL (SELECT id_key, ver, doc FROM {document} \
         WHERE coll = $1 AND id_key = $2 FOR UPDATE NOWAIT) d ON true WHERE c.coll = $1"
    )
}

/// How many documents a collection has.
pub(super) fn count_all(tables: &Tables) -> String {
    let document = &tables.document;
    format!(
        "SELECT c.version, (SELECT count(*) FROM {document} WHERE coll = $1)::INT8 \
         FROM kecoa_mongo.collection c WHERE c.coll = $1"
    )
}

/// How many of these documents there are.
pub(super) fn count_some(tables: &Tables) -> String {
    let document = &tables.document;
    format!(
        "SELECT c.version, (SELECT count(*) FROM unnest($2::BYTEA[]) AS k(key) JOIN {document} d \
         ON d.coll = $1 AND d.id_key = k.key)::INT8 FROM kecoa_mongo.collection c WHERE c.coll = $1"
    )
}

/// How many documents there are in ranges.
pub(super) fn count_ranges(tables: &Tables) -> String {
    let document = &tables.document;
    format!(
        "SELECT c.version, (SELECT count(*) FROM unnest($2::BYTEA[], $3::BYTEA[]) AS r(low, high) \
         JOIN {document} d ON d.coll = $1 AND d.id_key >= r.low AND d.id_key < r.high)::INT8 \
         FROM kecoa_mongo.collection c WHERE c.coll = $1"
    )
}

/// How many documents have entries in ranges.
pub(super) fn count_entries(tables: &Tables, unique: bool, multikey: bool) -> String {
    let table = tables.entries(unique);
    let counted = if multikey { "DISTINCT e.id_key" } else { "*" };
    format!(
        "SELECT c.version, (SELECT count({counted}) FROM unnest($2::BYTEA[], $3::BYTEA[]) AS r(low, high) \
         JOIN {table} e ON e.coll = $1 AND e.idx = $4 AND e.key >= r.low AND e.key < r.high)::INT8 \
         FROM kecoa_mongo.collection c WHERE c.coll = $1"
    )
}

/// How much of what is found a page takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// All.
    All,
    /// Up to so many bytes of documents, the last parameter, but one at least. This costs twice as much again.
    Bytes(i64),
}

/// These documents, `$2`; `$3` bytes of them.
pub(super) fn some(tables: &Tables, order: Order) -> String {
    let document = &tables.document;
    let query = format!(
        "SELECT ''::BYTEA AS key, d.id_key, d.ver, d.doc FROM unnest($2::BYTEA[]) AS k(key) \
         JOIN {document} d ON d.coll = $1 AND d.id_key = k.key"
    );
    paged(&query, order, false, "$3")
}

/// The same, that others may not change.
pub(super) fn some_locked(tables: &Tables, order: Order) -> String {
    let document = &tables.document;
    let query = format!(
        "SELECT ''::BYTEA AS key, d.id_key, d.ver, d.doc FROM unnest($2::BYTEA[]) AS k(key) \
         JOIN {document} d ON d.coll = $1 AND d.id_key = k.key FOR UPDATE OF d NOWAIT"
    );
    paged(&query, order, false, "$3")
}

/// `$2` documents between two keys of `_id`, `$3` and `$4`; `$5` bytes of them.
pub(super) fn documents(tables: &Tables, order: Order, take: Take) -> String {
    let (document, direction) = (&tables.document, direction(order));
    let query = format!(
        "SELECT ''::BYTEA AS key, d.id_key, d.ver, d.doc FROM {document} d \
         WHERE d.coll = $1 AND d.id_key >= $3 AND d.id_key < $4 \
         ORDER BY d.id_key {direction} LIMIT $2"
    );
    match take {
        Take::All => whole(&query),
        Take::Bytes(_) => paged(&query, order, false, "$5"),
    }
}

/// The same of several ranges.
pub(super) fn documents_of_many(tables: &Tables, order: Order, take: Take) -> String {
    let (document, direction) = (&tables.document, direction(order));
    let query = format!(
        "SELECT ''::BYTEA AS key, d.id_key, d.ver, d.doc FROM (\
         SELECT f.id_key FROM unnest($3::BYTEA[], $4::BYTEA[]) AS r(low, high), LATERAL (\
         SELECT id_key FROM {document} WHERE coll = $1 AND id_key >= r.low AND id_key < r.high \
         ORDER BY id_key {direction} LIMIT $2) f ORDER BY f.id_key {direction} LIMIT $2) f \
         JOIN {document} d ON d.coll = $1 AND d.id_key = f.id_key"
    );
    match take {
        Take::All => whole(&query),
        Take::Bytes(_) => paged(&query, order, false, "$5"),
    }
}

/// `$2` documents by the entries of index `$5`, behind entry `$3`, `$6` and before `$4`, `$7`; `$8` bytes of them.
pub(super) fn index(tables: &Tables, unique: bool, order: Order, take: Take) -> String {
    let (table, document) = (tables.entries(unique), &tables.document);
    let direction = direction(order);
    let bounds = between("$3", "$6", "$4", "$7", order);
    let query = format!(
        "SELECT e.key, d.id_key, d.ver, d.doc FROM (SELECT e.key, e.id_key FROM {table} e \
         WHERE e.coll = $1 AND e.idx = $5 AND {bounds} \
         ORDER BY e.key {direction}, e.id_key {direction} LIMIT $2) e \
         JOIN {document} d ON d.coll = $1 AND d.id_key = e.id_key"
    );
    match take {
        Take::All => whole(&query),
        Take::Bytes(_) => paged(&query, order, true, "$8"),
    }
}

/// The same of several ranges.
pub(super) fn index_of_many(tables: &Tables, unique: bool, order: Order, take: Take) -> String {
    let (table, document) = (tables.entries(unique), &tables.document);
    let direction = direction(order);
    let bounds = between("r.low", "r.low_id", "r.high", "r.high_id", order);
    let query = format!(
        "SELECT f.key, d.id_key, d.ver, d.doc FROM (SELECT f.key, f.id_key \
         FROM unnest($3::BYTEA[], $4::BYTEA[], $6::BYTEA[], $7::BYTEA[]) AS r(low, high, low_id, high_id), \
         LATERAL (SELECT e.key, e.id_key FROM {table} e WHERE e.coll = $1 AND e.idx = $5 AND {bounds} \
         ORDER BY e.key {direction}, e.id_key {direction} LIMIT $2) f \
         ORDER BY f.key {direction}, f.id_key {direction} LIMIT $2) f \
         JOIN {document} d ON d.coll = $1 AND d.id_key = f.id_key"
    );
    match take {
        Take::All => whole(&query),
        Take::Bytes(_) => paged(&query, order, true, "$8"),
    }
}

/// A lower and an upper bound of entries: exact on the side where a page goes on.
fn between(low: &str, low_id: &str, high: &str, high_id: &str, order: Order) -> String {
    match order {
        Order::Forward => {
            format!(
                "(e.key, e.id_key) > ({low}, {low_id}) AND e.key < {high} AND {high_id} IS NOT NULL"
            )
        }
        Order::Backward => {
            format!(
                "(e.key, e.id_key) < ({high}, {high_id}) AND e.key >= {low} AND {low_id} IS NOT NULL"
            )
        }
    }
}

/// The rows of a query, beside the version.
fn whole(query: &str) -> String {
    format!(
        "SELECT c.version, p.id_key, p.ver, p.doc, p.key FROM kecoa_mongo.collection c \
         LEFT JOIN LATERAL ({query}) p ON true WHERE c.coll = $1"
    )
}

/// The same up to a number of bytes of documents, but one at least.
fn paged(query: &str, order: Order, by_key: bool, bytes: &str) -> String {
    let direction = direction(order);
    let key = if by_key { format!("q.key {direction}, ") } else { String::new() };
    format!(
        "SELECT c.version, p.id_key, p.ver, p.doc, p.key FROM kecoa_mongo.collection c LEFT JOIN LATERAL (\
         SELECT q.key, q.id_key, q.ver, q.doc, sum(octet_length(q.doc)) OVER \
         (ORDER BY {key}q.id_key {direction} ROWS UNBOUNDED PRECEDING) AS total \
         FROM ({query}) q) p ON p.total - octet_length(p.doc) < {bytes} WHERE c.coll = $1"
    )
}

fn direction(order: Order) -> &'static str {
    match order {
        Order::Forward => "ASC",
        Order::Backward => "DESC",
    }
}
