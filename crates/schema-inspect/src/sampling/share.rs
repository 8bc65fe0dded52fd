//! Parts of a whole, with four digits.

use schema_model::{Interval, Presence};

/// The quantile of the normal distribution for 95 %.
const Z: f64 = 1.959_963_984_540_054;

pub(crate) fn presence(count: u64, of: u64, is_random: bool) -> Presence {
    Presence { count, of, share: share(count, of), interval: (is_random && of > 0).then(|| wilson(count, of)) }
}

/// Which part of the whole that is; of nothing it is none.
pub(crate) fn share(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { (number(count) / number(of) * 1e4).round() / 1e4 }
}

/// Wilson's interval (E. B. Wilson, 1927), rounded outwards.
fn wilson(count: u64, of: u64) -> Interval {
    let (n, p) = (number(of), number(count) / number(of));
    let z2 = Z * Z;
    let middle = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let all = 1.0 + z2 / n;
    // What cannot be seen of a part in a thousand of the last digit is an error of the sum.
    let lower = ((middle - half) / all * 1e4 + 1e-3).floor() / 1e4;
    let upper = ((middle + half) / all * 1e4 - 1e-3).ceil() / 1e4;
    Interval { lower: lower.clamp(0.0, 1.0), upper: upper.clamp(0.0, 1.0) }
}

#[expect(clippy::cast_precision_loss, reason = "a sample has fewer values than 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As R's `prop.test(…, correct = FALSE)` has them.
    #[test]
    fn the_interval_is_wilson_s() {
        for (count, of, lower, upper) in [
            (0, 20, 0.0, 0.1612),
            (1, 20, 0.0088, 0.2362),
            (10, 20, 0.2992, 0.7008),
            (20, 20, 0.8388, 1.0),
            (1, 1, 0.2065, 1.0),
            (81, 263, 0.2552, 0.3663),
        ] {
            assert_eq!(wilson(count, of), Interval { lower, upper }, "{count} of {of}");
        }
    }

    #[test]
    fn nothing_is_told_of_what_was_not_picked_at_random() {
        assert_eq!(presence(1, 2, false), Presence { count: 1, of: 2, share: 0.5, interval: None });
        assert_eq!(presence(0, 0, true).interval, None);
    }
}
