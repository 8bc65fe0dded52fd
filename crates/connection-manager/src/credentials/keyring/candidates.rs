use std::sync::Arc;

use shared_kernel::database::DatabaseError;

use super::{Inner, no_version};
use crate::credentials::{Credentials, Freshness, SecretStage, SourceError};

/// A cache may answer a rejection with another version that was rejected too, but only with the one that it holds.
const LOOKS: usize = 3;

/// The versions that one login tries, best first.
pub(super) struct Candidates<'a> {
    keyring: &'a Inner,
    step: Step,
    /// The versions that this login tried, in order.
    tried: Vec<String>,
    /// A version that is known to be rejected, by this login or before: what a cache is told to look behind.
    rejected: String,
}

#[derive(Clone, Copy)]
enum Step {
    /// What the source's cache names.
    Cached,
    /// What the server accepted last.
    Accepted,
    Current,
    Pending,
    Previous,
    Over,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(keyring: &'a Inner) -> Self {
        Self { keyring, step: Step::Cached, tried: Vec::new(), rejected: String::new() }
    }

    /// The versions that were tried, the last one last.
    pub(super) fn tried(&self) -> &[String] {
        &self.tried
    }

    pub(super) async fn next(&mut self) -> Result<Option<Arc<Credentials>>, DatabaseError> {
        loop {
            let found = match self.step {
                Step::Cached => {
                    self.step = Step::Accepted;
                    self.cached().await?
                }
                Step::Accepted => {
                    self.step = Step::Current;
                    self.keyring.book.accepted().filter(|accepted| !self.tried.contains(&accepted.version))
                }
                Step::Current => {
                    if self.tried.is_empty() && !self.keyring.book.may_look() {
                        self.step = Step::Over;
                        continue;
                    }
                    self.step = Step::Pending;
                    match self.current().await {
                        Ok(found) => found,
                        Err(error) if self.tried.is_empty() => return Err(error.into()),
                        // That the login was rejected is true all the same, and other stages may be at hand.
                        Err(error) => {
                            tracing::warn!(connection = %self.keyring.name, %error, "the current version cannot be read");
                            None
                        }
                    }
                }
                Step::Pending => {
                    self.step = Step::Previous;
                    self.staged(SecretStage::Pending).await
                }
                Step::Previous => {
                    self.step = Step::Over;
                    self.staged(SecretStage::Previous).await
                }
                Step::Over => return Ok(None),
            };
            let Some(found) = found else { continue };
            self.rejected.clone_from(&found.version);
            if !self.keyring.book.is_rejected(&found.version) {
                self.tried.push(found.version.clone());
                return Ok(Some(found));
            }
        }
    }

    /// What the source's cache names; nothing when the source is away for the moment and what it said before still counts.
    async fn cached(&self) -> Result<Option<Arc<Credentials>>, DatabaseError> {
        match self.keyring.ask(SecretStage::Current, Freshness::Cached).await {
            Ok(Some(found)) => Ok(Some(found)),
            // The secret is gone, and what it was with it.
            Ok(None) => Err(no_version().on(&self.keyring.name)),
            Err(error) if error.do_earlier_answers_count() && self.keyring.book.accepted().is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The current version as it is where the secret is kept.
    async fn current(&mut self) -> Result<Option<Arc<Credentials>>, SourceError> {
        let mut found = None;
        for _ in 0..LOOKS {
            found = self.keyring.ask(SecretStage::Current, Freshness::Rejected(&self.rejected)).await?;
            match &found {
                Some(other) if other.version != self.rejected && self.keyring.book.is_rejected(&other.version) => {
                    self.rejected.clone_from(&other.version);
                }
                _ => break,
            }
        }
        Ok(found)
    }

    async fn staged(&self, stage: SecretStage) -> Option<Arc<Credentials>> {
        match self.keyring.ask(stage, Freshness::Rejected(&self.rejected)).await {
            Ok(found) => found,
            // The answer to the caller is that the login was rejected, which is true without this stage as well.
            Err(error) => {
                tracing::warn!(connection = %self.keyring.name, ?stage, %error, "a stage of the secret cannot be read");
                None
            }
        }
    }
}
