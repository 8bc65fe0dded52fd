//! `cargo xtask soak`: the tests again and again, property tests with many cases and tests under load with more of it,
//! until the time is over.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use super::test::{generated_from, verdict};
use crate::interrupt;
use crate::testing::engine::Engine;
use crate::testing::report::{Ending, Report};
use crate::testing::runner::{Runner, Selection};
use crate::testing::session::Session;
use crate::ui::Screen;

/// Run tests again and again with many more generated cases, others in each round, until one fails or the time is over
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How long, in minutes; the round that has begun is finished
    #[arg(long, default_value_t = 30, value_name = "N")]
    minutes: u64,
    /// Cases of each property test that leaves the number open (`PROPTEST_CASES`)
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    cases: u32,
    /// On these engines alone
    #[arg(long, value_delimiter = ',', value_name = "ENGINE")]
    engines: Vec<Engine>,
    /// Only the tests whose names contain one of these
    filters: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    let begun = Instant::now();
    let limit = Duration::from_mins(arguments.minutes);
    let mut report = Report::default();
    let runner = Runner::find();
    let engines = if arguments.engines.is_empty() { Engine::ALL.to_vec() } else { arguments.engines.clone() };
    if let Some(session) = Session::open(&engines, &mut runner.build(), screen, &mut report)? {
        let mut environment = session.environment.clone();
        environment.push(("PROPTEST_CASES".to_owned(), arguments.cases.to_string()));
        // Asks tests under load for more of it: 64 workers and 20 rotations of a password in place of 16 and 3.
        environment.push(("BINDERY_TEST_SOAK".to_owned(), "1".to_owned()));
        let selection = Selection { excluded: session.excluded(&engines), filters: arguments.filters.clone() };
        for round in 1.. {
            interrupt::check()?;
            let round_begun = Instant::now();
            let seed = RandomState::new().build_hasher().finish();
            let mut environment = environment.clone();
            environment.push(generated_from(seed));
            let (results, content) = runner.run(&selection, &environment)?;
            let ending = verdict(&results, content);
            let failed = matches!(ending, Ending::Failed(_));
            report.step(&format!("round {round}"), round_begun.elapsed(), ending);
            if failed {
                report.notes.push(format!(
                    "the same cases again, with the same engines and filters: BINDERY_TEST_SOAK=1 PROPTEST_CASES={} cargo xtask test --parts tests --seed {seed}",
                    arguments.cases
                ));
            }
            if failed || begun.elapsed() > limit {
                break;
            }
        }
    }
    screen.line(report.text(begun.elapsed()));
    Ok(report.exit_code())
}
