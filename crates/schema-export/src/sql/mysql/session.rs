//! What a session is set to: the words of a program mean what they meant when it was made.

use std::collections::BTreeMap;

use super::Writer;
use super::names::{literal, quoted};

/// What tables and views are made under. Backslashes escape and double quotes are quotes of texts, as in what the server tells;
/// days that there are not may be defaults; and what does not fit is refused rather than changed.
pub(super) const SQL_MODE: &str = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES";

/// Settings with what each of them is now, and the database that the session is in.
#[derive(Default)]
pub(super) struct Settings(BTreeMap<&'static str, String>, Option<String>);

/// What a script changes and puts back at its end.
const KEPT: [&str; 6] = [
    "character_set_client",
    "character_set_results",
    "collation_connection",
    "time_zone",
    "foreign_key_checks",
    "sql_mode",
];

impl Writer<'_> {
    pub(super) fn begin(&mut self) {
        let engine = self.product.shown();
        self.script.remark(&format!("Made from a model of {engine} {}.", self.database.version));
        let kept: Vec<String> = KEPT.iter().map(|setting| format!("@old_{setting} = @@{setting}")).collect();
        self.script.statement(&format!("SET {}", kept.join(", ")));
        self.script.statement("SET NAMES utf8mb4");
        // A table may lead to one that is made later.
        self.script.statement("SET foreign_key_checks = 0");
        self.set("sql_mode", SQL_MODE);
        // What defaults of timestamps were told in.
        self.set("time_zone", "+00:00");
    }

    pub(super) fn end(&mut self) {
        for setting in KEPT {
            self.script.statement(&format!("SET {setting} = @old_{setting}"));
        }
    }

    /// Makes a database the session's own, where it is not.
    pub(super) fn enter(&mut self, namespace: &str) {
        if self.settings.1.as_deref() != Some(namespace) {
            self.script.statement(&format!("USE {}", quoted(namespace)));
            self.settings.1 = Some(namespace.to_owned());
        }
    }

    /// Changes a setting where it is another.
    pub(super) fn set(&mut self, setting: &'static str, value: &str) {
        if self.settings.0.get(setting).is_some_and(|known| known == value) {
            return;
        }
        self.script.statement(&format!("SET {setting} = {}", literal(value)));
        self.settings.0.insert(setting, value.to_owned());
    }
}
