//! What each dialect can say: a table of constructs, each with a statement that uses it.
//!
//! The statements run over the small schema of [`schema`] and know the answer that every engine must give, so that a
//! test can execute each supported cell of the table on the real engine: open a database, send [`schema`], then for each
//! construct begin a transaction, run its statement, compare with its [`Answer`], and roll back.
//!
//! ```
//! use sql_dialect::{Dialect, support};
//!
//! for construct in support::constructs() {
//!     match construct.render(Dialect::SqlServer) {
//!         Ok(rendered) => println!("{}: {}", construct.name(), rendered.sql),
//!         Err(error) => println!("{}: {error}", construct.name()),
//!     }
//! }
//! ```

use std::fmt::Write;

use sea_query::{DeleteStatement, InsertStatement, SelectStatement, UpdateStatement, WithQuery};

use crate::{Dialect, Query, RenderError, Rendered, render};

mod condition;
mod delete;
mod expression;
mod function;
mod insert;
mod join;
mod schema;
mod select;
mod set;
mod update;
mod vendor;
mod window;
mod with;

pub use schema::schema;

/// A statement of any kind that [`render`] knows, owned.
#[derive(Debug, Clone)]
pub enum Statement {
    /// `SELECT`
    Select(SelectStatement),
    /// `INSERT`
    Insert(InsertStatement),
    /// `UPDATE`
    Update(UpdateStatement),
    /// `DELETE`
    Delete(DeleteStatement),
    /// `WITH …`
    With(WithQuery),
}

impl Statement {
    /// The statement as [`render`] takes it.
    pub const fn query(&self) -> Query<'_> {
        match self {
            Self::Select(statement) => Query::Select(statement),
            Self::Insert(statement) => Query::Insert(statement),
            Self::Update(statement) => Query::Update(statement),
            Self::Delete(statement) => Query::Delete(statement),
            Self::With(statement) => Query::With(statement),
        }
    }
}

/// What an engine must answer to a construct's statement, over the rows of [`schema`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Rows with these integers in their first column, in this order.
    Ordered(&'static [i64]),
    /// Rows with these integers in their first column, in any order.
    Unordered(&'static [i64]),
    /// No rows, and this many rows changed.
    Changed(u64),
    /// This many rows, whatever is in them.
    Rows(usize),
}

/// One row of the table: a construct of SQL and a statement that uses it.
#[derive(Debug)]
pub struct Construct {
    name: &'static str,
    refused: &'static [Dialect],
    answer: Answer,
    statement: fn() -> Statement,
}

impl Construct {
    const fn new(
        name: &'static str,
        refused: &'static [Dialect],
        answer: Answer,
        statement: fn() -> Statement,
    ) -> Self {
        Self { name, refused, answer, statement }
    }

    /// The construct in the words of the SQL standard or of sea-query; unique in the table.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the dialect is declared to have the construct. A test holds [`Construct::render`] against it.
    pub fn is_supported(&self, dialect: Dialect) -> bool {
        !self.refused.contains(&dialect)
    }

    /// What every engine that has the construct answers.
    pub const fn answer(&self) -> Answer {
        self.answer
    }

    /// A new statement that uses the construct.
    pub fn statement(&self) -> Statement {
        (self.statement)()
    }

    /// The statement's text in a dialect.
    ///
    /// # Errors
    /// [`RenderError::Unsupported`] in the dialects that do not have the construct.
    pub fn render(&self, dialect: Dialect) -> Result<Rendered, RenderError> {
        render(dialect, self.statement().query())
    }
}

/// The constructs that belong together.
#[derive(Debug)]
pub struct Group {
    /// The heading in the printed table.
    pub name: &'static str,
    /// The rows, in the order of the printed table.
    pub constructs: &'static [Construct],
}

/// All groups, in the order of the printed table.
pub const GROUPS: &[Group] = &[
    Group { name: "SELECT", constructs: select::CONSTRUCTS },
    Group { name: "Joins and sources", constructs: join::CONSTRUCTS },
    Group { name: "Conditions", constructs: condition::CONSTRUCTS },
    Group { name: "Expressions", constructs: expression::CONSTRUCTS },
    Group { name: "Functions", constructs: function::CONSTRUCTS },
    Group { name: "Window functions", constructs: window::CONSTRUCTS },
    Group { name: "Set operations", constructs: set::CONSTRUCTS },
    Group { name: "WITH", constructs: with::CONSTRUCTS },
    Group { name: "INSERT", constructs: insert::CONSTRUCTS },
    Group { name: "UPDATE", constructs: update::CONSTRUCTS },
    Group { name: "DELETE", constructs: delete::CONSTRUCTS },
    Group { name: "One engine's own", constructs: vendor::CONSTRUCTS },
];

/// Every construct of every group.
pub fn constructs() -> impl Iterator<Item = &'static Construct> {
    GROUPS.iter().flat_map(|group| group.constructs)
}

/// The table as Markdown.
pub fn markdown() -> String {
    let mut page = String::new();
    for group in GROUPS {
        let _ =
            write!(page, "\n## {}\n\n| construct | MySQL, MariaDB | PostgreSQL | SQLite | SQL Server |\n", group.name);
        page.push_str("| --- | --- | --- | --- | --- |\n");
        for construct in group.constructs {
            let _ = write!(page, "| {} |", construct.name);
            for dialect in Dialect::ALL {
                let cell = match construct.render(dialect) {
                    Ok(_) => "yes".to_owned(),
                    Err(RenderError::Unsupported { construct, .. }) => format!("no: {construct}"),
                    Err(error) => format!("no: {error}"),
                };
                let _ = write!(page, " {cell} |");
            }
            page.push('\n');
        }
    }
    page
}
