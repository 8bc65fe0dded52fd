use std::fmt::Write as _;

use schema_model::{Grant, ObjectName, Reading};

use crate::exporter::why;
use crate::text::{visible, visible_object};
use crate::{Export, Omission};

/// Statements, and what was left out of them.
#[derive(Default)]
pub(super) struct Script {
    text: String,
    omissions: Vec<Omission>,
    /// Whether clients look for variables in comments.
    has_variables: bool,
}

impl Script {
    /// One for the clients of SQL Server, which put something in place of `$(name)` wherever it stands.
    pub(super) fn with_variables() -> Self {
        Self { has_variables: true, ..Self::default() }
    }

    /// Adds a statement, without its semicolon.
    pub(super) fn statement(&mut self, statement: &str) {
        let statement = statement.trim_end();
        self.text.push_str(statement);
        // What stands behind a comment at the end is a part of the comment.
        let last_line = statement.rsplit('\n').next().unwrap_or_default();
        self.text.push_str(if last_line.contains("--") { "\n;\n" } else { ";\n" });
    }

    /// Adds what ends by itself.
    pub(super) fn ended(&mut self, statement: &str, end: &str) {
        self.text.push_str(statement);
        self.text.push_str(end);
    }

    /// Adds a statement that has statements in it, without its own semicolon. Where they end with one, the clients of MySQL and MariaDB
    /// are told what this one ends with.
    pub(super) fn program(&mut self, statement: &str) {
        let statement = statement.trim_end();
        if !statement.contains(';') {
            let _ = writeln!(self.text, "{statement}\n;");
            return;
        }
        let mut end = ";;".to_owned();
        while statement.contains(&end) {
            end = if end == ";;" { "//".to_owned() } else { format!("{end}/") };
        }
        let _ = writeln!(self.text, "DELIMITER {end}\n{statement}\n{end}\nDELIMITER ;");
    }

    /// Adds what clients of SQL Server send at once. What stands before it is a batch of its own: it would become a part of a module's text.
    pub(super) fn batch(&mut self, text: &str) {
        self.end_batch();
        let _ = writeln!(self.text, "{text}\nGO");
    }

    /// Ends the batch that is open, if one is.
    pub(super) fn end_batch(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\nGO\n") {
            self.text.push_str("GO\n");
        }
    }

    /// Grants on an object, or on those of its columns that are listed behind each privilege; what may be granted further apart.
    pub(super) fn grant(&mut self, grant: &Grant, columns: &str, on: &str, to: &str) {
        let list = |privileges: &[&String]| {
            privileges.iter().map(|privilege| format!("{privilege}{columns}")).collect::<Vec<_>>().join(", ")
        };
        let (with, without): (Vec<&String>, Vec<&String>) =
            grant.privileges.iter().partition(|privilege| grant.grantable.contains(privilege));
        for (privileges, option) in [(without, ""), (with, " WITH GRANT OPTION")] {
            if !privileges.is_empty() {
                self.statement(&format!("GRANT {} ON {on} TO {to}{option}", list(&privileges)));
            }
        }
    }

    /// A line for people.
    pub(super) fn remark(&mut self, text: &str) {
        let shown = self.comment(visible(text));
        let _ = writeln!(self.text, "-- {shown}");
    }

    /// What is shown in a comment, with nothing in it that a client acts upon.
    fn comment(&self, shown: String) -> String {
        if self.has_variables { shown.replace("$(", "$\\u{28}") } else { shown }
    }

    /// Says at this place that something is not there.
    pub(super) fn omit(&mut self, object: &ObjectName, part: &str, reason: &str) {
        let shown = format!("{}, {}: {}", visible_object(object), visible(part), visible(reason));
        let shown = self.comment(shown);
        let _ = writeln!(self.text, "-- left out: {shown}");
        self.omissions.push(Omission::new(object, part, reason));
    }

    /// The text, where it was read.
    pub(super) fn known<'a>(
        &mut self,
        object: &ObjectName,
        part: &str,
        reading: &'a Reading<String>,
    ) -> Option<&'a String> {
        match reading {
            Reading::Known(text) => Some(text),
            Reading::Unknown { unavailable } => {
                self.omit(object, part, why(*unavailable));
                None
            }
        }
    }

    pub(super) fn export(mut self) -> Export {
        self.omissions.sort_unstable();
        self.omissions.dedup();
        Export { text: self.text, omissions: self.omissions }
    }
}
