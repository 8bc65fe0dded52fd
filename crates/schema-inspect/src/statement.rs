use shared_kernel::database::{Dialect, RawStatement};

/// A question as it is sent: without the comments in front of it, since a connection that only reads may look at the first word.
pub(crate) fn select(dialect: Dialect, text: &str) -> RawStatement {
    let lines: Vec<&str> = text.lines().skip_while(|line| line.starts_with("--")).collect();
    RawStatement::per_dialect("SELECT").text(dialect, lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use shared_kernel::database::Statement;

    use super::*;

    #[test]
    fn a_question_begins_with_its_first_word() {
        let statement: Statement =
            select(Dialect::Sqlite, "-- What it is about,\n-- at length.\nSELECT '\n-- 1'\n").into();
        assert_eq!(statement.render(Dialect::Sqlite).expect("a text").sql, "SELECT '\n-- 1'");
    }
}
