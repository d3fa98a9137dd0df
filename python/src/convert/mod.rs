//! Python values to SQL and the server's values to Python objects, as psycopg2 does.
//!
//! Nothing here knows a connection or a cursor.

pub(crate) mod classes;
pub(crate) mod codec;
pub(crate) mod dump;
pub(crate) mod formats;
pub(crate) mod interpolate;
pub(crate) mod layout;
pub(crate) mod load;
pub(crate) mod parameters;
pub(crate) mod typecaster;
mod utf8;
