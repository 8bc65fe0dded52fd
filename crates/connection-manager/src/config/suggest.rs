//! The word that was probably meant.

/// Says that `word` is no known `what`, and names the nearest or all that are known.
pub fn unknown<'a>(what: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, known.iter().copied()) {
        Some(nearest) => format!("unknown {what} `{word}`, did you mean `{nearest}`?"),
        None if known.is_empty() => format!("unknown {what} `{word}`, there are none"),
        None => format!("unknown {what} `{word}`, expected one of: {}", known.join(", ")),
    }
}

/// The known word that takes the fewest edits, when they are few enough for a slip of the finger.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: insertions, deletions and replacements.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, have) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, want) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(have != *want);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let known = ["host", "port", "password", "database"];
        assert_eq!(nearest("pasword", known), Some("password"));
        assert_eq!(nearest("hots", known), None, "two edits in four letters are no slip");
        assert_eq!(nearest("prt", known), Some("port"));
        assert_eq!(nearest("colour", known), None);
    }
}
