use std::time::Instant;

use crate::Failure;

/// Nanoseconds of one call, one number a round.
pub(crate) struct Samples(Vec<u128>);

impl Samples {
    /// The middle one.
    pub(crate) fn median(&self) -> u128 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

/// Calls in a round and rounds of each kind.
const ROUNDS: usize = 41;

/// Runs rounds of the two kinds in turn (even: the first, odd: the second), after one uncounted round of each.
pub(crate) async fn alternate(
    quick: bool,
    mut round: impl AsyncFnMut(usize, i64) -> Result<(), Failure>,
) -> Result<(Samples, Samples), Failure> {
    let calls: i64 = if quick { 2000 } else { 500 };
    let mut samples = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for number in 0..2 * (ROUNDS + 1) {
        let began = Instant::now();
        round(number, calls).await?;
        let each = began.elapsed().as_nanos() / u128::try_from(calls)?;
        if number >= 2 {
            if number % 2 == 0 { &mut samples.0 } else { &mut samples.1 }.push(each);
        }
    }
    Ok((Samples(samples.0), Samples(samples.1)))
}
