/// Catalogs whose numbers stand in a text.
const CATALOGS: [&str; 5] = ["pg_class", "pg_proc", "pg_namespace", "pg_database", "pg_authid"];

/// A text whose operators have their namespace with them, for a question that is asked before the search path is empty: whatever it
/// names is the engine's own, and nothing that somebody else has put in front. A function that is itself written in SQL, such as
/// `obj_description`, has no place in it: up to version 13 the operators within are looked up where it is called.
pub(super) fn qualified(text: &str) -> String {
    let text = CATALOGS.iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("{{{name}}}"), &format!("'pg_catalog.{name}'::pg_catalog.regclass"))
    });
    ["=", ">=", "<>", ">"].iter().fold(text, |text, operator| {
        text.replace(&format!(" {operator} "), &format!(" OPERATOR(pg_catalog.{operator}) "))
    })
}

#[cfg(test)]
mod tests {
    use shared_kernel::database::{Dialect, Statement};

    use super::super::{stamp, texts};
    use crate::InspectOptions;

    /// Names that a text gives to parts of its own.
    const OWN: [&str; 2] = ["relations", "namespaces"];
    const WORDS: [&str; 2] = ["COALESCE", "ROW"];

    #[test]
    fn nothing_is_looked_up_elsewhere() {
        let questions: [Statement; 2] = [stamp::statement(), texts::database(&InspectOptions::default())];
        for question in questions {
            let text = question.render(Dialect::Postgres).expect("a text").sql;
            assert!(!text.contains('{') && !text.contains('}'), "{text}");
            for operator in ["=", "<>", ">", ">=", "||", "~~", "LIKE", "IN"] {
                assert!(!text.contains(&format!(" {operator} ")), "{operator}: {text}");
            }
            for (_, after) in text.match_indices(" FROM ").map(|(at, from)| text.split_at(at + from.len())) {
                let name = first_name(after);
                // A question within one begins with a bracket.
                assert!(
                    after.starts_with('(') || name.starts_with("pg_catalog.") || OWN.contains(&name),
                    "{name}: {text}"
                );
            }
            for (_, after) in text.match_indices("::").map(|(at, cast)| text.split_at(at + cast.len())) {
                assert!(after.starts_with("pg_catalog."), "{after}");
            }
            // What stands right before a bracket is called.
            for (at, _) in text.match_indices('(') {
                let begins = text[..at].rfind(|letter: char| !is_of_a_name(letter)).map_or(0, |place| place + 1);
                let name = &text[begins..at];
                let is_call = !name.is_empty() && name != "OPERATOR" && !WORDS.contains(&name);
                assert!(!is_call || name.starts_with("pg_catalog."), "{name}: {text}");
                assert!(!name.ends_with("obj_description"), "{text}");
            }
        }
    }

    fn first_name(text: &str) -> &str {
        text.split(|letter| !is_of_a_name(letter)).next().unwrap_or_default()
    }

    fn is_of_a_name(letter: char) -> bool {
        letter.is_alphanumeric() || "_.".contains(letter)
    }
}
