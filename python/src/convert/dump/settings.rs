//! How literals are written on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::convert::codec::Codec;
use crate::convert::parameters::Rules;

/// What a connection decides about literals.
#[derive(Clone)]
pub(crate) struct Settings {
    /// How text is encoded.
    pub(crate) codec: Arc<Codec>,
    /// `standard_conforming_strings`: a backslash is a plain character in `'…'`.
    pub(crate) standard_strings: bool,
    /// There is a connection. Without one, libpq writes bytea in its old escape format.
    pub(crate) connected: bool,
}

/// What the last connection said, for adapters that quote without one (libpq keeps the same).
static LAST_STANDARD_STRINGS: AtomicBool = AtomicBool::new(false);

/// Remembers the setting of the connection that was last used.
pub(crate) fn remember_standard_strings(on: bool) {
    LAST_STANDARD_STRINGS.store(on, Ordering::Relaxed);
}

impl Settings {
    /// Where no connection is known.
    pub(crate) fn unconnected(codec: Codec) -> Settings {
        Settings {
            codec: Arc::new(codec),
            standard_strings: LAST_STANDARD_STRINGS.load(Ordering::Relaxed),
            connected: false,
        }
    }

    /// How the server reads literals; its integers may be `wide`.
    pub(crate) fn rules(&self, wide: bool) -> Rules {
        let characters = self.codec.characters();
        Rules { characters, standard_strings: self.standard_strings, wide }
    }
}
