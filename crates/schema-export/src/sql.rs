mod mysql;
mod order;
mod postgres;
mod script;
mod sqlite;
mod sqlserver;

use schema_model::{Database, ReferentialAction};

use crate::{Export, ExportError, Exporter};

/// SQL that makes the database anew on the engine that it was found on: namespaces, extensions, sequences, types, what only the engine
/// has, tables, keys and indexes, views in the order in which they use each other, foreign keys, routines, rules, triggers, policies,
/// comments, owners and grants. What the model has not is a comment in its place and an omission.
///
/// For PostgreSQL, MySQL, MariaDB, SQLite and SQL Server, whose scripts are batches that end with a line of `GO`, as `sqlcmd` and SQL Server
/// Management Studio read them. Programs of MySQL and MariaDB that have semicolons in them stand between lines with
/// `DELIMITER`, which the clients `mysql` and `mariadb` and other tools cut by, and which no server knows.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqlExporter {
    options: SqlOptions,
}

/// What of a database is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlOptions {
    owners: bool,
    grants: bool,
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self { owners: true, grants: true }
    }
}

impl SqlOptions {
    /// Everything then belongs to who runs the script, and is done in their name. Roles belong to a server and not to a database: on
    /// another server, those that are named have to be there first.
    #[must_use]
    pub fn without_owners(self) -> Self {
        Self { owners: false, ..self }
    }

    /// Nobody is then granted anything.
    #[must_use]
    pub fn without_grants(self) -> Self {
        Self { grants: false, ..self }
    }
}

impl SqlExporter {
    /// One that writes what the options say.
    pub fn new(options: SqlOptions) -> Self {
        Self { options }
    }
}

impl Exporter for SqlExporter {
    fn format(&self) -> &'static str {
        "sql"
    }

    fn media_type(&self) -> &'static str {
        "application/sql"
    }

    fn file_extension(&self) -> &'static str {
        "sql"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        match database.engine.as_str() {
            "postgres" => Ok(postgres::script(database, self.options)),
            "mysql" => Ok(mysql::script(database, mysql::Product::MySql, self.options)),
            "mariadb" => Ok(mysql::script(database, mysql::Product::MariaDb, self.options)),
            "sqlite" => Ok(sqlite::script(database)),
            "sqlserver" => Ok(sqlserver::script(database, self.options)),
            engine => Err(ExportError::UnknownEngine { format: self.format().to_owned(), engine: engine.to_owned() }),
        }
    }
}

/// What a foreign key does when the other row goes, as the standard writes it.
fn action(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "NO ACTION",
        ReferentialAction::Restrict => "RESTRICT",
        ReferentialAction::Cascade => "CASCADE",
        ReferentialAction::SetNull => "SET NULL",
        ReferentialAction::SetDefault => "SET DEFAULT",
    }
}
