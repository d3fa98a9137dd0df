//! Abbreviations of time zones, as texts of dates have them.

/// The seconds that an abbreviation of a time zone is ahead of UTC. Letters alone are those of the military.
pub(super) fn abbreviation(word: &str) -> Option<i64> {
    const HALF_HOURS: [(&str, i64); 44] = [
        ("utc", 0),
        ("gmt", 0),
        ("wet", 0),
        ("west", 2),
        ("bst", 2),
        ("cet", 2),
        ("cest", 4),
        ("met", 2),
        ("mest", 4),
        ("eet", 4),
        ("eest", 6),
        ("sast", 4),
        ("msk", 6),
        ("msd", 8),
        ("pkt", 10),
        ("ist", 4),
        ("wib", 14),
        ("wita", 16),
        ("wit", 18),
        ("hkt", 16),
        ("awst", 16),
        ("jst", 18),
        ("kst", 18),
        ("acst", 19),
        ("acdt", 21),
        ("aest", 20),
        ("aedt", 22),
        ("nzst", 24),
        ("nzdt", 26),
        ("nst", -7),
        ("ndt", -5),
        ("ast", -8),
        ("adt", -6),
        ("est", -10),
        ("edt", -8),
        ("cst", -12),
        ("cdt", -10),
        ("mst", -14),
        ("mdt", -12),
        ("pst", -16),
        ("pdt", -14),
        ("akst", -18),
        ("akdt", -16),
        ("hst", -20),
    ];
    if let [letter] = word.as_bytes() {
        let hours = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'I' => i64::from(letter - b'A') + 1,
            letter @ b'K'..=b'M' => i64::from(letter - b'K') + 10,
            letter @ b'N'..=b'Y' => -i64::from(letter - b'N') - 1,
            b'Z' => 0,
            _ => return None,
        };
        return Some(hours * 3600);
    }
    let known = |(name, _): &&(&str, i64)| name.eq_ignore_ascii_case(word);
    HALF_HOURS.iter().find(known).map(|(_, half_hours)| half_hours * 1800)
}
