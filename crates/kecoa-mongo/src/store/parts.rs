//! The tables of documents and entries: the whole of each, or the part of it that a collection lies in.
//!
//! A statement that names a part is less work by far than one that has PostgreSQL find it: a plan that is made once
//! and for all collections locks all parts at each run, and prunes them anew.

use std::sync::LazyLock;

use kecoa::Client;

use super::failure;
use super::schema::PARTS;
use crate::error::Error;

/// The tables that a statement names.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) document: String,
    pub(super) entry: String,
    pub(super) unique: String,
}

static WHOLE: LazyLock<Tables> = LazyLock::new(|| Tables::new(""));
static EACH: LazyLock<Vec<Tables>> =
    LazyLock::new(|| (0..PARTS).map(|part| Tables::new(&format!("_{part}"))).collect());

impl Tables {
    fn new(suffix: &str) -> Self {
        let name = |table| format!("kecoa_mongo.{table}{suffix}");
        Self { document: name("document"), entry: name("entry"), unique: name("uniq") }
    }

    /// Those of all collections.
    pub(super) fn whole() -> &'static Self {
        &WHOLE
    }

    /// Those that a collection lies in.
    pub(super) fn of(collection: i64) -> &'static Self {
        let part = usize::try_from(part(collection)).unwrap_or(usize::MAX);
        EACH.get(part).unwrap_or(&WHOLE)
    }

    /// That of entries.
    pub(super) fn entries(&self, unique: bool) -> &str {
        if unique { &self.unique } else { &self.entry }
    }
}

/// Whether the parts are as they were made, and lie where [`part`] says: then statements may name them. Somebody may
/// have cut the tables anew, or may let this user have the whole of them only.
pub(super) async fn are_known(client: &mut Client) -> Result<bool, Error> {
    let (mut collections, mut parts) = (Vec::new(), Vec::new());
    for shift in 0..63 {
        let collection = 0x5851_f42d_4c95_7f2d_i64 >> shift;
        collections.push(collection);
        parts.push(i32::try_from(part(collection)).unwrap_or(-1));
    }
    let sql = format!(
        "SELECT (SELECT count(*) = 3 * {PARTS} FROM (VALUES ('document'), ('entry'), ('uniq')) AS t(name), \
         generate_series(0, {PARTS} - 1) AS p(part), pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid \
         WHERE i.inhparent = to_regclass('kecoa_mongo.' || t.name) \
         AND c.oid = to_regclass('kecoa_mongo.' || t.name || '_' || p.part) \
         AND pg_get_expr(c.relpartbound, c.oid) = \
         'FOR VALUES WITH (modulus {PARTS}, remainder ' || p.part || ')' \
         AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') \
         AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')) \
         AND (SELECT bool_and(satisfies_hash_partition(to_regclass('kecoa_mongo.document'), {PARTS}, s.part, s.coll)) \
         FROM unnest($1::INT8[], $2::INT4[]) AS s(coll, part))"
    );
    match client.query_one_as::<(Option<bool>,)>(&sql, &[&collections, &parts]).await {
        Ok((known,)) => Ok(known.unwrap_or(false)),
        // A server that knows nothing of all this.
        Err(error) if error.sqlstate().is_some_and(|state| state.starts_with("42")) => Ok(false),
        Err(error) => Err(failure::alone(&error).into()),
    }
}

/// The part in which PostgreSQL keeps a collection: Jenkins's hash of its number, which never changes, as tables lie on
/// disk by it.
fn part(collection: i64) -> u64 {
    const SEED: u64 = 0x7A5B_2236_7996_DCFD;
    const START: u32 = 0x9e37_79b9_u32.wrapping_add(4).wrapping_add(3_923_095);
    let [low, high] = halves(collection.cast_unsigned());
    let folded = low ^ if collection >= 0 { high } else { !high };
    let [seed_low, seed_high] = halves(SEED);
    let mut a = START.wrapping_add(seed_high);
    let mut b = START.wrapping_add(seed_low);
    let mut c = START;
    for (turn, turns) in [4, 6, 8, 16, 19, 4].into_iter().enumerate() {
        let (x, y, z) = match turn % 3 {
            0 => (&mut a, &mut b, &mut c),
            1 => (&mut b, &mut c, &mut a),
            _ => (&mut c, &mut a, &mut b),
        };
        *x = x.wrapping_sub(*z) ^ z.rotate_left(turns);
        *z = z.wrapping_add(*y);
    }
    a = a.wrapping_add(folded);
    for (turn, turns) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        let (x, y) = match turn % 3 {
            0 => (&mut c, b),
            1 => (&mut a, c),
            _ => (&mut b, a),
        };
        *x = (*x ^ y).wrapping_sub(y.rotate_left(turns));
    }
    let hash = u64::from(b) << 32 | u64::from(c);
    // How the hashes of several columns are combined, of which there is one.
    hash.wrapping_add(0x49a0_f4dd_15e5_a8e3) % u64::from(PARTS)
}

fn halves(value: u64) -> [u32; 2] {
    [value & 0xffff_ffff, value >> 32].map(|half| u32::try_from(half).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_lies_in_one_part() {
        let tables = Tables::of(7);
        assert_eq!(tables.document, "kecoa_mongo.document_23");
        assert_eq!(tables.entries(false), "kecoa_mongo.entry_23");
        assert_eq!(tables.entries(true), "kecoa_mongo.uniq_23");
    }
}
