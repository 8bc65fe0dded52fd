//! What a person sees: spinners on a terminal, one plain line for each finished step in a pipe.

use std::fmt::Display;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Draws the steps of one command. Cheap to clone; the clones share the terminal.
#[derive(Clone)]
pub(crate) struct Screen {
    bars: MultiProgress,
    rich: bool,
}

impl Screen {
    /// A screen on standard error, so that standard output stays for what is meant to be read by programs.
    pub(crate) fn new() -> Self {
        let rich = std::io::stderr().is_terminal();
        Self { bars: MultiProgress::new(), rich }
    }

    /// Begins a step. On a terminal it turns until it is finished; in a pipe it is announced by one line.
    pub(crate) fn step(&self, title: impl Into<String>) -> Step {
        let title = title.into();
        let bar = if self.rich {
            let bar = self.bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {prefix} {msg:.dim} {elapsed:.dim}") {
                bar.set_style(style);
            }
            bar.set_prefix(title.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            Some(bar)
        } else {
            eprintln!("… {title}");
            None
        };
        Step { screen: self.clone(), bar, title, started: Instant::now() }
    }

    /// A line that stays.
    pub(crate) fn line(&self, text: impl Display) {
        if self.rich {
            self.bars.suspend(|| eprintln!("{text}"));
        } else {
            eprintln!("{text}");
        }
    }

    fn mark(&self, colour: u8, sign: char) -> String {
        if self.rich { format!("\u{1b}[{colour}m{sign}\u{1b}[0m") } else { sign.to_string() }
    }
}

/// One step of a command; finish it with [`Step::done`] or [`Step::failed`].
pub(crate) struct Step {
    screen: Screen,
    bar: Option<ProgressBar>,
    title: String,
    started: Instant,
}

impl Step {
    /// Says what the step is doing just now; shown on a terminal alone.
    pub(crate) fn note(&self, text: impl Into<String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.into());
        }
    }

    /// Finishes well and returns how long it took.
    pub(crate) fn done(self, text: impl Display) -> Duration {
        let sign = self.screen.mark(32, '✓');
        self.finish(&sign, &text)
    }

    /// Finishes badly; the text says why.
    pub(crate) fn failed(self, text: impl Display) -> Duration {
        let sign = self.screen.mark(31, '✗');
        self.finish(&sign, &text)
    }

    fn finish(self, sign: &str, text: &dyn Display) -> Duration {
        let took = self.started.elapsed();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let text = text.to_string();
        let separator = if text.is_empty() { "" } else { " " };
        self.screen.line(format_args!("{sign} {}{separator}{text} ({})", self.title, duration(took)));
        took
    }
}

/// A duration for people: `0.4 s`, `12.3 s`, `4 min 05 s`.
pub(crate) fn duration(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", took.as_secs() / 60, took.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well_on_both_sides_of_a_minute() {
        assert_eq!(duration(Duration::from_millis(420)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(245)), "4 min 05 s");
    }
}
