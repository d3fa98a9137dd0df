//! The crate `serde_json`.

use super::through;
use crate::{DecodeError, EncodeError, Json};

through! {
    /// Sent as `jsonb`; reads `json` and `jsonb`. A struct goes through `serde_json::to_value` and `from_value`.
    ///
    /// Numbers that neither 64-bit integers nor `f64` hold are read as the nearest `f64`, as `serde_json` does
    /// without its feature `arbitrary_precision`; read the column as [`Json`] for their digits.
    ::serde_json::Value, Json:
        read |ours| ::serde_json::from_str(ours.as_str())
            .map_err(|error| DecodeError::new("JSON", error.to_string())),
        send |theirs| ::serde_json::to_string(theirs)
            .map(Json::new)
            .map_err(|error| EncodeError::Other(error.to_string()));
}
