use std::time::Instant;

use crate::Failure;

/// Rows in the table.
pub(crate) const ROWS: i64 = 1000;

/// Rounds of each kind; odd, so that there is a middle one.
const ROUNDS: usize = 31;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    /// One row by its primary key, two columns; through the trait, the tree is built and rendered each time.
    Point,
    /// The same, with a text that was rendered once.
    Template,
    /// All rows, seven columns of seven types.
    Rows,
}

impl Load {
    pub(crate) const ALL: [Self; 3] = [Self::Point, Self::Template, Self::Rows];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Point => "point select",
            Self::Template => "point select, from a template",
            Self::Rows => "1000 rows of 7 columns",
        }
    }

    const fn calls(self) -> i64 {
        match self {
            Self::Point | Self::Template => 1000,
            Self::Rows => 10,
        }
    }
}

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

/// Runs rounds of the two kinds in turn, after one of each that does not count. The first samples are the bare ones.
pub(crate) async fn alternate(
    load: Load,
    mut round: impl AsyncFnMut(bool, i64) -> Result<(), Failure>,
) -> Result<(Samples, Samples), Failure> {
    let calls = load.calls();
    let mut samples = (Vec::with_capacity(ROUNDS), Vec::with_capacity(ROUNDS));
    for number in 0..=ROUNDS {
        for of_bare in [true, false] {
            let began = Instant::now();
            round(of_bare, calls).await?;
            let each = began.elapsed().as_nanos() / u128::try_from(calls)?;
            if number > 0 {
                if of_bare { &mut samples.0 } else { &mut samples.1 }.push(each);
            }
        }
    }
    Ok((Samples(samples.0), Samples(samples.1)))
}
