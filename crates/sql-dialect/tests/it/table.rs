//! The support table: what is declared is what is rendered, and its texts are reviewed.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use sql_dialect::support::{self, Answer, Statement};
use sql_dialect::{Dialect, RenderError};

#[test]
fn every_cell_is_what_the_table_declares() {
    let mut wrong = Vec::new();
    for construct in support::constructs() {
        for dialect in Dialect::ALL {
            match (construct.is_supported(dialect), construct.render(dialect)) {
                (true, Ok(_)) | (false, Err(RenderError::Unsupported { .. })) => {}
                (_, rendered) => wrong.push(format!("{} in {dialect}: {rendered:?}", construct.name())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_construct_has_a_name_of_its_own_and_a_dialect_that_has_it() {
    let mut names = BTreeSet::new();
    for construct in support::constructs() {
        assert!(names.insert(construct.name()), "{} is there twice", construct.name());
        assert!(Dialect::ALL.iter().any(|dialect| construct.is_supported(*dialect)), "{}", construct.name());
    }
}

#[test]
fn reading_statements_do_not_claim_to_change_rows() {
    for construct in support::constructs().filter(|construct| construct.name() != "SELECT INTO") {
        if let Statement::Select(_) = construct.statement() {
            assert!(!matches!(construct.answer(), Answer::Changed(_)), "{}", construct.name());
        }
    }
}

#[test]
fn placeholders_and_values_are_as_many() {
    for construct in support::constructs() {
        for dialect in Dialect::ALL {
            let Ok(rendered) = construct.render(dialect) else { continue };
            let values = rendered.values.0.len();
            match dialect {
                Dialect::MySql | Dialect::Sqlite => {
                    assert_eq!(rendered.sql.matches('?').count(), values, "{}", rendered.sql);
                }
                Dialect::Postgres | Dialect::SqlServer => {
                    let mark = if dialect == Dialect::Postgres { "$" } else { "@P" };
                    for number in 1..=values {
                        assert!(rendered.sql.contains(&format!("{mark}{number}")), "{}", rendered.sql);
                    }
                    assert!(!rendered.sql.contains(&format!("{mark}{}", values + 1)), "{}", rendered.sql);
                }
            }
        }
    }
}

#[test]
fn the_texts_are_the_reviewed_ones() {
    for group in support::GROUPS {
        let mut texts = String::new();
        for construct in group.constructs {
            let _ = writeln!(texts, "== {}", construct.name());
            for dialect in Dialect::ALL {
                let _ = match construct.render(dialect) {
                    Ok(rendered) if rendered.values.0.len() > 20 => {
                        writeln!(texts, "{dialect}: {} … {} values", &rendered.sql[..120], rendered.values.0.len())
                    }
                    Ok(rendered) => writeln!(texts, "{dialect}: {}\n    {:?}", rendered.sql, rendered.values.0),
                    Err(error) => writeln!(texts, "{dialect}: refused: {error}"),
                };
            }
        }
        insta::assert_snapshot!(group.name.to_lowercase().replace([' ', '\''], "_"), texts);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of this test, which no configuration has a place for")]
fn the_printed_table_is_up_to_date() {
    let page = format!("{}{}", include_str!("dialects_head.md"), support::markdown());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dialects.md");
    if std::env::var_os("BINDERY_UPDATE").is_some() {
        std::fs::write(&path, &page).expect("docs/dialects.md can be written");
    }
    let printed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(printed == page, "docs/dialects.md is out of date; run this test with BINDERY_UPDATE=1");
}
