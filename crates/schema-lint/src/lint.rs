use schema_model::Database;

use crate::{Evidence, Finding, Object, Severity};

/// A rule.
pub trait Lint: Send + Sync {
    /// What it is called: lower-case ASCII letters and `-`. It stays the same from version to version.
    fn id(&self) -> &str;

    /// What it finds, in one sentence.
    fn summary(&self) -> &str;

    /// How bad what it finds is, as a rule.
    fn severity(&self) -> Severity;

    /// Looks at a model. The same model gives the same findings in the same order.
    fn check(&self, database: &Database) -> Vec<Finding>;

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
