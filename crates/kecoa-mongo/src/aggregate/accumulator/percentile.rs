//! `$percentile` and `$median`.

use ::bson::RawBson;
use ::bson::raw::RawArrayBuf;

/// The values at these points; `null` where there are no values.
pub(super) fn percentiles(mut values: Vec<f64>, points: &[f64], single: bool) -> RawBson {
    values.sort_by(f64::total_cmp);
    let mut results = points.iter().map(|point| match value_at(&values, *point) {
        Some(value) => RawBson::Double(value),
        None => RawBson::Null,
    });
    if single {
        return results.next().unwrap_or(RawBson::Null);
    }
    RawBson::Array(results.collect::<RawArrayBuf>())
}

/// The least value that so large a part of all does not exceed.
fn value_at(values: &[f64], point: f64) -> Option<f64> {
    let rank = (values.len() as f64 * point).ceil();
    // From zero to the number of values.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let place = (rank as usize).saturating_sub(1);
    values.get(place).or(values.last()).copied()
}
