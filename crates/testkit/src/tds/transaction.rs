//! The little that the server knows of transactions: how deep they are and which statements they would make permanent.

use super::answer::verb;
use super::request::Statement;
use super::script::{Cut, Reply, ServerMessage, squeeze};
use super::token::Tokens;

/// What a statement does to the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Begin,
    Commit,
    Rollback,
    /// `IF @@TRANCOUNT > 0 ROLLBACK`: as a rollback, and no error without a transaction.
    RollbackIfOpen,
    Save,
}

impl Step {
    pub(super) fn of(statement: &Statement) -> Option<Self> {
        let text = squeeze(&statement.text).trim_end_matches(';').to_ascii_uppercase();
        let mut words = text.split(' ');
        let step = match words.next()? {
            "BEGIN" => words.next().filter(|word| word.starts_with("TRAN")).map(|_| Self::Begin)?,
            "COMMIT" => Self::Commit,
            "ROLLBACK" => Self::Rollback,
            "SAVE" => Self::Save,
            "IF" if text.starts_with("IF @@TRANCOUNT > 0 ROLLBACK") => Self::RollbackIfOpen,
            _ => return None,
        };
        Some(step)
    }
}

/// One session's transaction.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    depth: u32,
    descriptor: u64,
    pending: Vec<Statement>,
    /// What became permanent and was not yet put into the log.
    committed: Vec<Statement>,
}

impl Transaction {
    /// `@@TRANCOUNT`
    pub(super) const fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) fn take_committed(&mut self) -> Vec<Statement> {
        std::mem::take(&mut self.committed)
    }

    /// Whether the built-in rules turn the step down.
    pub(super) fn refusal(&self, statement: &Statement) -> Option<Reply> {
        let verb = match Step::of(statement)? {
            Step::Commit if self.depth == 0 => "COMMIT",
            Step::Rollback if self.depth == 0 => "ROLLBACK",
            _ => return None,
        };
        let number = if verb == "COMMIT" { 3902 } else { 3903 };
        Some(Reply::error(number, format!("The {verb} TRANSACTION request has no corresponding BEGIN TRANSACTION.")))
    }

    /// Takes note of a statement that was answered with `reply`.
    pub(super) fn apply(&mut self, statement: &Statement, reply: &Reply, tokens: &mut Tokens) {
        if reply.messages().any(|message| message.number == 1205) {
            self.roll_back(tokens);
        }
        // An answer of which nothing is sent stands for a server that died before it did anything.
        let nothing_sent = matches!(reply.cut, Cut::Silence(0) | Cut::Close(0) | Cut::Reset(0));
        if nothing_sent || reply.messages().any(ServerMessage::is_error) {
            return;
        }
        match Step::of(statement) {
            Some(Step::Begin) => {
                self.depth += 1;
                if self.depth == 1 {
                    self.descriptor += 1;
                    tokens.transaction_began(self.descriptor);
                }
            }
            Some(Step::Commit) => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    tokens.transaction_ended(true, self.descriptor);
                    self.committed.append(&mut self.pending);
                }
            }
            Some(Step::Rollback | Step::RollbackIfOpen) => self.roll_back(tokens),
            None if matches!(verb(statement).as_str(), "INSERT" | "UPDATE" | "DELETE" | "MERGE") => {
                let effects = if self.depth > 0 { &mut self.pending } else { &mut self.committed };
                effects.push(statement.clone());
            }
            Some(Step::Save) | None => {}
        }
    }

    fn roll_back(&mut self, tokens: &mut Tokens) {
        if self.depth > 0 {
            tokens.transaction_ended(false, self.descriptor);
        }
        self.depth = 0;
        self.pending.clear();
    }
}
