use std::borrow::Cow;
use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};
use shared_kernel::database::Dialect;

/// The migrations of one context, numbered from 1 without a gap.
#[derive(Debug, Clone)]
pub struct MigrationSet {
    context: Cow<'static, str>,
    migrations: Cow<'static, [Migration]>,
}

/// One step of a schema, for every engine and in both directions.
#[derive(Debug, Clone)]
pub struct Migration {
    number: u32,
    name: Cow<'static, str>,
    /// In the order of [`Dialect::ALL`].
    scripts: [Scripts; 4],
}

/// The texts of one migration for one dialect.
#[derive(Debug, Clone)]
pub struct Scripts {
    /// Takes the schema one step forward.
    pub up: Cow<'static, str>,
    /// Takes it back.
    pub down: Cow<'static, str>,
}

/// Which way a migration is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Forward.
    Up,
    /// Back.
    Down,
}

/// Why migrations do not make a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("context `{context}`: migration {found:04} stands where number {expected:04} belongs")]
pub struct InvalidSet {
    context: String,
    expected: u32,
    found: u32,
}

impl MigrationSet {
    /// A set made at run time; the sets of this crate come from [`crate::set`].
    ///
    /// # Errors
    /// [`InvalidSet`] when the numbers do not begin at 1, are not in order, or leave a gap.
    pub fn try_new(context: impl Into<Cow<'static, str>>, migrations: Vec<Migration>) -> Result<Self, InvalidSet> {
        let context = context.into();
        for (expected, migration) in (1..).zip(&migrations) {
            if migration.number != expected {
                let found = migration.number;
                return Err(InvalidSet { context: context.into_owned(), expected, found });
            }
        }
        Ok(Self { context, migrations: Cow::Owned(migrations) })
    }

    /// For the table that the build script writes after it has checked the numbers.
    pub(crate) const fn embedded(context: &'static str, migrations: &'static [Migration]) -> Self {
        Self { context: Cow::Borrowed(context), migrations: Cow::Borrowed(migrations) }
    }

    /// The context's name, which is also the name of its connection.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The migrations, oldest first.
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// The migration of this number.
    pub fn get(&self, number: u32) -> Option<&Migration> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.migrations.get(index)
    }

    /// The number of the newest migration, 0 when there is none.
    pub fn latest(&self) -> u32 {
        self.migrations.last().map_or(0, |migration| migration.number)
    }

    /// The path of a script below the crate's folder, as messages name it.
    pub fn file(&self, migration: &Migration, dialect: Dialect, direction: Direction) -> String {
        format!("{}/{}/{dialect}.{direction}.sql", self.context, migration.folder())
    }

    /// All scripts of one dialect and direction in the order in which they would run, each under its file's name.
    ///
    /// The history table is not part of it: what is run by hand is marked as applied by hand.
    pub fn print(&self, dialect: Dialect, direction: Direction) -> String {
        let mut text = String::new();
        let mut add = |migration: &Migration| {
            let file = self.file(migration, dialect, direction);
            let _ = write!(text, "-- {file}\n{}\n\n", migration.script(dialect, direction).trim_end());
        };
        match direction {
            Direction::Up => self.migrations.iter().for_each(&mut add),
            Direction::Down => self.migrations.iter().rev().for_each(&mut add),
        }
        text
    }
}

impl Migration {
    /// A migration made at run time, with one pair of scripts for each dialect in the order of [`Dialect::ALL`].
    pub fn new(number: u32, name: impl Into<Cow<'static, str>>, scripts: [Scripts; 4]) -> Self {
        Self { number, name: name.into(), scripts }
    }

    pub(crate) const fn embedded(number: u32, name: &'static str, scripts: [Scripts; 4]) -> Self {
        Self { number, name: Cow::Borrowed(name), scripts }
    }

    /// Its place in the order, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What it does, in `snake_case`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder's name, `NNNN_name`.
    pub fn folder(&self) -> String {
        format!("{:04}_{}", self.number, self.name)
    }

    /// The text for one dialect and direction.
    pub fn script(&self, dialect: Dialect, direction: Direction) -> &str {
        let scripts = &self.scripts[dialect as usize];
        match direction {
            Direction::Up => &scripts.up,
            Direction::Down => &scripts.down,
        }
    }

    /// SHA-256 of the forward script as 64 hexadecimal digits, the same whether lines end in LF or CRLF.
    ///
    /// The way back is not part of it: a `down` script may be mended after the migration was applied.
    pub fn checksum(&self, dialect: Dialect) -> String {
        let text = self.script(dialect, Direction::Up).replace("\r\n", "\n");
        Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// The parts of a script that are sent one by one: on SQL Server a line with nothing but `GO` ends a batch, because
/// some statements must be the first of theirs. Elsewhere a script is one part.
pub fn batches(dialect: Dialect, script: &str) -> Vec<String> {
    if dialect != Dialect::SqlServer {
        return vec![script.to_owned()];
    }
    let mut batches = vec![String::new()];
    for line in script.lines() {
        if line.trim().eq_ignore_ascii_case("go") {
            batches.push(String::new());
        } else if let Some(batch) = batches.last_mut() {
            batch.push_str(line);
            batch.push('\n');
        }
    }
    batches.retain(|batch| !batch.trim().is_empty());
    batches
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(number: u32, up: &'static str) -> Migration {
        Migration::new(
            number,
            "step",
            [const { Scripts { up: Cow::Borrowed(""), down: Cow::Borrowed("") } }; 4]
                .map(|_| Scripts { up: up.into(), down: "SELECT 1;".into() }),
        )
    }

    #[test]
    fn a_checksum_does_not_depend_on_line_endings() {
        let unix = migration(1, "CREATE TABLE a (b INTEGER);\nSELECT 1;\n");
        let windows = migration(1, "CREATE TABLE a (b INTEGER);\r\nSELECT 1;\r\n");
        assert_eq!(unix.checksum(Dialect::Sqlite), windows.checksum(Dialect::Sqlite));
        assert_ne!(unix.checksum(Dialect::Sqlite), migration(1, "SELECT 1;").checksum(Dialect::Sqlite));
    }

    #[test]
    fn a_checksum_is_the_sha_256_of_the_text() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(migration(1, "abc").checksum(Dialect::MySql), expected);
    }

    #[test]
    fn a_set_with_a_gap_is_refused() {
        let error = MigrationSet::try_new("users", vec![migration(1, "a"), migration(3, "b")]).unwrap_err();
        assert_eq!(error.to_string(), "context `users`: migration 0003 stands where number 0002 belongs");
    }

    #[test]
    fn go_ends_a_batch_on_sql_server_alone() {
        let script = "CREATE TABLE a (b INT);\r\nGO\r\nCREATE VIEW v AS SELECT b FROM a;\n go \n";
        let parts = batches(Dialect::SqlServer, script);
        assert_eq!(parts, ["CREATE TABLE a (b INT);\n", "CREATE VIEW v AS SELECT b FROM a;\n"]);
        assert_eq!(batches(Dialect::Postgres, script), [script]);
    }

    #[test]
    fn printing_backwards_begins_with_the_newest() {
        let set = MigrationSet::try_new("users", vec![migration(1, "a"), migration(2, "b")]).unwrap();
        let text = set.print(Dialect::MySql, Direction::Down);
        let expected =
            "-- users/0002_step/mysql.down.sql\nSELECT 1;\n\n-- users/0001_step/mysql.down.sql\nSELECT 1;\n\n";
        assert_eq!(text, expected);
    }
}
