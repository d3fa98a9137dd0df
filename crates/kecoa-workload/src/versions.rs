//! What the workers of a run know of the versions of keys: no acknowledged write may be lost, and no version may
//! go back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::random::mix;

/// The version of a key that is not there.
pub(crate) const MISSING: i64 = -1;

const SHARDS: usize = 64;

/// A version that a transaction has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Of which key.
    pub(crate) key: u64,
    /// The version; [`MISSING`] when there is no such key.
    pub(crate) version: i64,
    /// What was acknowledged before the transaction began.
    pub(crate) floor: i64,
    /// Whether the transaction wrote this version, or read it.
    pub(crate) written: bool,
}

/// The highest version of each key that is known to be committed.
#[derive(Debug)]
pub(crate) struct Versions {
    /// How many keys there were at the start, all of them with at least version 0.
    loaded: u64,
    shards: Vec<Mutex<HashMap<u64, i64>>>,
}

impl Versions {
    pub(crate) fn new(loaded: u64) -> Versions {
        Versions { loaded, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// The least version that a transaction may see that begins now.
    pub(crate) fn floor(&self, key: u64) -> i64 {
        let acknowledged = self.shard(key).and_then(|shard| shard.get(&key).copied());
        acknowledged.unwrap_or(if key < self.loaded { 0 } else { MISSING })
    }

    /// Takes what a transaction has seen that is known to be committed.
    ///
    /// # Errors
    /// What was seen cannot be, in words.
    pub(crate) fn take(&self, seen: Seen) -> Result<(), String> {
        let Seen { key, version, floor, written } = seen;
        if written && version <= floor {
            return Err(format!(
                "key {key} was written as version {version}, after version {floor} had been acknowledged"
            ));
        }
        if version < floor {
            let found = match version {
                MISSING => "as not there".to_owned(),
                version => format!("at version {version}"),
            };
            return Err(format!(
                "key {key} was read {found}, after version {floor} had been acknowledged"
            ));
        }
        if let Some(mut shard) = self.shard(key) {
            let known = shard.entry(key).or_insert(version);
            *known = version.max(*known);
        }
        Ok(())
    }

    /// Every key that was seen, with its version, in pieces.
    pub(crate) fn acknowledged(&self, mut each: impl FnMut(Vec<(u64, i64)>)) {
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let keys = shard.iter().filter(|(_, version)| **version != MISSING);
            each(keys.map(|(key, version)| (*key, *version)).collect());
        }
    }

    fn shard(&self, key: u64) -> Option<MutexGuard<'_, HashMap<u64, i64>>> {
        let at = usize::try_from(mix(key) % 64).ok()?;
        Some(self.shards.get(at)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is wrong with the versions that were found in the database; `None` for nothing.
pub(crate) fn lost(acknowledged: &[(u64, i64)], found: &HashMap<u64, i64>) -> Option<String> {
    let mut wrong: Vec<(u64, i64)> = acknowledged
        .iter()
        .filter(|(key, version)| found.get(key).is_none_or(|found| found < version))
        .copied()
        .collect();
    wrong.sort_unstable();
    let (key, version) = wrong.first()?;
    let state = match found.get(key) {
        Some(found) => format!("at version {found}"),
        None => "not there".to_owned(),
    };
    let more = match wrong.len() {
        1 => String::new(),
        count => format!("; {} more keys like it", count - 1),
    };
    Some(format!("key {key} is {state}, and version {version} of it had been acknowledged{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(versions: &Versions, key: u64, version: i64) -> Result<(), String> {
        versions.take(Seen { key, version, floor: versions.floor(key), written: false })
    }

    fn write(versions: &Versions, key: u64, version: i64) -> Result<(), String> {
        versions.take(Seen { key, version, floor: versions.floor(key), written: true })
    }

    #[test]
    fn versions_only_grow() {
        let versions = Versions::new(10);
        write(&versions, 3, 1).unwrap();
        read(&versions, 3, 1).unwrap();
        write(&versions, 3, 5).unwrap();
        assert!(read(&versions, 3, 4).unwrap_err().contains("read at version 4, after version 5"));
        assert!(write(&versions, 3, 5).unwrap_err().contains("written as version 5"));
        assert!(read(&versions, 4, MISSING).unwrap_err().contains("as not there"));
    }

    #[test]
    fn what_began_before_a_write_was_acknowledged_may_see_less() {
        let versions = Versions::new(10);
        let floor = versions.floor(3);
        write(&versions, 3, 1).unwrap();
        versions.take(Seen { key: 3, version: 0, floor, written: false }).unwrap();
        // And what is known does not go back by it.
        assert_eq!(versions.floor(3), 1);
    }

    #[test]
    fn a_key_beyond_those_loaded_may_be_missing_until_it_was_seen() {
        let versions = Versions::new(10);
        read(&versions, 10, MISSING).unwrap();
        write(&versions, 10, 1).unwrap();
        assert!(read(&versions, 10, MISSING).is_err());
    }

    #[test]
    fn what_is_lost_is_named() {
        let acknowledged = [(1, 4), (2, 7), (3, 1)];
        assert_eq!(lost(&acknowledged, &HashMap::from([(1, 4), (2, 9), (3, 1)])), None);
        let found = lost(&acknowledged, &HashMap::from([(1, 4), (2, 6)])).unwrap();
        assert_eq!(
            found,
            "key 2 is at version 6, and version 7 of it had been acknowledged; 1 more keys like it"
        );
    }
}
