use std::collections::BTreeMap;

use shared_kernel::database::{EngineDescription, OptionKind};
use shared_kernel::validation::Violations;

use super::verbatim::{text_value, verbatim};

text_value!(
    /// What an engine's option is set to: 1 to 500 characters, kept as they are, none of them a control character.
    OptionValue,
    OptionValueError,
    "the option",
    |text| verbatim(text, OptionValue::MAX)
);

impl OptionValue {
    /// The most characters.
    pub const MAX: usize = 500;
}

/// What only one engine knows, by the engine's own keys. Which keys there are is the engine's to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options(BTreeMap<String, OptionValue>);

impl Options {
    /// These options.
    pub const fn new(options: BTreeMap<String, OptionValue>) -> Self {
        Self(options)
    }

    /// Each option.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &OptionValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Notes the options that the engine does not have or does not let everybody set, and values that are not of their kind.
    pub(super) fn check(&self, engine: &EngineDescription, violations: &mut Violations) {
        for (name, value) in &self.0 {
            let pointer = format!("/options/{}", name.replace('~', "~0").replace('/', "~1"));
            match engine.option(name) {
                None => violations.add(pointer, "unknown_option", unknown(name, engine)),
                Some(option) if option.operator_only => {
                    let message = format!("the option `{name}` can only be set by those who run the service");
                    violations.add(pointer, "not_allowed", message);
                }
                Some(option) => {
                    if let Some(expected) = mismatch(&option.kind, value.as_str()) {
                        violations.add(pointer, "unknown_value", format!("the option `{name}` {expected}"));
                    }
                }
            }
        }
    }

    /// Whether an option differs that has a say in where a password goes.
    pub(super) fn lead_elsewhere(&self, other: &Self, engine: &EngineDescription) -> bool {
        let names = self.0.keys().chain(other.0.keys());
        let mut changed = names.filter(|name| self.0.get(*name) != other.0.get(*name));
        changed.any(|name| engine.option(name).is_none_or(|option| option.leads))
    }
}

fn unknown(name: &str, engine: &EngineDescription) -> String {
    let shown: String = name.chars().take(80).collect();
    let known = engine.options.iter().filter(|option| !option.operator_only).map(|option| option.name.as_ref());
    match known.collect::<Vec<_>>().as_slice() {
        [] => format!("{} has no options", engine.title),
        names => format!("{shown:?} is no option of {}, which has {}", engine.title, names.join(", ")),
    }
}

/// What is expected, where the value is something else. Times are for the engine's own check.
fn mismatch(kind: &OptionKind, value: &str) -> Option<String> {
    match kind {
        OptionKind::Text | OptionKind::Duration => None,
        OptionKind::Switch => (!matches!(value, "true" | "false")).then(|| "is \"true\" or \"false\"".to_owned()),
        OptionKind::Choice(words) => {
            (!words.iter().any(|word| word == value)).then(|| format!("is one of {}", words.join(", ")))
        }
    }
}
