//! What a word that is not known was probably meant to be.

/// The word that `name` is at most two slips away from, or the beginning of.
pub(super) fn nearest_of<'a>(name: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    // In numbers every slip gives another number.
    if name.len() > 40 || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let words: Vec<&str> = words.collect();
    let mut longer = words.iter().filter(|word| name.len() > 2 && word.starts_with(&name));
    if let (Some(word), None) = (longer.next(), longer.next()) {
        return Some(word);
    }
    let ranked = words.iter().map(|word| (distance(&name, word), *word));
    let (distance, word) = ranked.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance < word.len().min(name.len())).then_some(word)
}

/// Levenshtein's distance, in bytes: names are ASCII.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let above = *cell;
            left = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_not_guessed_at() {
        assert_eq!(nearest_of("4.0", ["3.0", "3.2"].into_iter()), None);
    }

    #[test]
    fn counts_slips() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
