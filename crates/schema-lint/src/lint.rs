use schema_model::Database;

use crate::{Evidence, Finding, Findings, Object, Severity, TooMany};

/// A rule.
pub trait Lint: Send + Sync {
    /// What it is called: lower-case ASCII letters and `-`. It stays the same from version to version.
    fn id(&self) -> &str;

    /// What it finds, in one sentence.
    fn summary(&self) -> &str;

    /// How bad what it finds is, as a rule.
    fn severity(&self) -> Severity;

    /// Looks at a model, and adds what it finds as it finds it. The same model gives the same findings in the same order.
    ///
    /// # Errors
    /// There is no room for one of them: what [`Findings::push`] answers is handed on, and nothing more is looked for.
    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany>;

    /// A finding of this rule, as bad as it usually is.
    fn finding(&self, object: Object, message: String, evidence: Evidence, suggestion: &str) -> Finding {
        Finding {
            rule: self.id().to_owned(),
            severity: self.severity(),
            object,
            message,
            evidence,
            suggestion: suggestion.to_owned(),
        }
    }
}
