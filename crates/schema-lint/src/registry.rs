use std::fmt;
use std::sync::Arc;

use schema_model::Database;

use crate::{Finding, Findings, Lint, TooMany, rules};

/// The rules that a program has: the built-in ones, and those that it brings along itself.
#[derive(Clone, Default)]
pub struct Lints(Vec<Arc<dyn Lint>>);

impl Lints {
    /// None.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Those of this crate.
    pub fn builtin() -> Self {
        rules::all().into_iter().fold(Self::empty(), Self::register)
    }

    /// Adds one. Of several with one name, the last one counts.
    #[must_use]
    pub fn register(mut self, lint: Arc<dyn Lint>) -> Self {
        self.0.retain(|other| other.id() != lint.id());
        self.0.push(lint);
        self
    }

    /// Leaves one out.
    #[must_use]
    pub fn without(mut self, id: &str) -> Self {
        self.0.retain(|lint| lint.id() != id);
        self
    }

    /// The rules, in the order in which they were added.
    pub fn all(&self) -> impl Iterator<Item = &dyn Lint> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Everything that they find: the worst first, then by where it is and by rule.
    pub fn check(&self, database: &Database) -> Vec<Finding> {
        let mut found = Findings::unbounded();
        let _there_is_room = self.look(database, &mut found);
        in_order(found)
    }

    /// The same, where it is no more than so many bytes of JSON. A model that somebody made up may give far more findings than it has
    /// bytes: they are counted as they are made.
    ///
    /// # Errors
    /// There is more.
    pub fn check_within(&self, database: &Database, bytes: usize) -> Result<Vec<Finding>, TooMany> {
        let mut found = Findings::within(bytes);
        self.look(database, &mut found)?;
        Ok(in_order(found))
    }

    fn look(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        self.0.iter().try_for_each(|lint| lint.check(database, found))
    }
}

fn in_order(found: Findings) -> Vec<Finding> {
    let mut found = found.into_vec();
    found.sort_by(|one, other| {
        let by = |finding: &Finding| std::cmp::Reverse(finding.severity);
        by(one).cmp(&by(other)).then_with(|| one.object.cmp(&other.object)).then_with(|| one.rule.cmp(&other.rule))
    });
    found
}

impl fmt::Debug for Lints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|lint| lint.id())).finish()
    }
}
