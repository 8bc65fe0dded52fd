//! Questions that are asked of one thing after the other, within a patience for all of them together.

use std::time::{Duration, Instant};

use schema_model::Unavailable;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::InspectError;
use crate::stages::Stages;

/// Asks, as long as the patience lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) context: &'a RequestContext,
    /// When the patience is at its end.
    pub(crate) until: Instant,
    /// Why a server does not tell something, where that is no failure of its own.
    pub(crate) refusal: fn(&DatabaseError) -> Option<Unavailable>,
}

/// How many statements each kind of question took, and how long.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Vec<(&'static str, u32, Duration)>);

impl Tally {
    fn count(&mut self, stage: &'static str, statements: u32, took: Duration) {
        match self.0.iter_mut().find(|(known, ..)| *known == stage) {
            Some((_, all, together)) => {
                *all += statements;
                *together += took;
            }
            None => self.0.push((stage, statements, took)),
        }
    }

    /// Counts statements of a kind that turned out to be more than were thought of.
    pub(crate) fn more(&mut self, stage: &'static str, statements: u32) {
        self.count(stage, statements, Duration::ZERO);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(stage, statements, took)| self.count(stage, *statements, *took));
    }

    /// The times are those of all questions together, of which several may have been asked at once.
    pub(crate) fn told(&self, stages: &mut Stages<'_>) {
        self.0.iter().for_each(|(stage, statements, took)| stages.add(stage, *statements, *took));
    }
}

impl Asking<'_> {
    /// Asks one thing. What the server does not tell, or not in time, is told apart from failures.
    pub(crate) async fn ask<T, F>(
        &self,
        stage: &'static str,
        tally: &mut Tally,
        ask: impl FnOnce(RequestContext) -> F,
    ) -> Result<Result<T, Unavailable>, InspectError>
    where
        F: Future<Output = Result<T, DatabaseError>>,
    {
        self.ask_together(stage, tally, 1, ask).await
    }

    /// Asks so many things at once.
    pub(crate) async fn ask_together<T, F>(
        &self,
        stage: &'static str,
        tally: &mut Tally,
        statements: u32,
        ask: impl FnOnce(RequestContext) -> F,
    ) -> Result<Result<T, Unavailable>, InspectError>
    where
        F: Future<Output = Result<T, DatabaseError>>,
    {
        let began = Instant::now();
        let left = self.until.saturating_duration_since(began);
        if left.is_zero() {
            return Ok(Err(Unavailable::OverLimit));
        }
        let answer = ask(self.context.within(left)).await;
        tally.count(stage, statements, began.elapsed());
        match answer {
            Ok(answer) => Ok(Ok(answer)),
            Err(source) if self.is_out_of_patience(&source) => Ok(Err(Unavailable::OverLimit)),
            Err(source) => match (self.refusal)(&source) {
                Some(reason) => Ok(Err(reason)),
                None => Err(InspectError::Database { stage, source }),
            },
        }
    }

    /// Whether it took too long, and the caller has time left.
    fn is_out_of_patience(&self, error: &DatabaseError) -> bool {
        *error.kind() == DatabaseErrorKind::Timeout && self.context.time_left().is_none_or(|left| !left.is_zero())
    }
}
