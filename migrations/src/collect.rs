//! Reads the folders of migrations. The build script runs it, and the tests show what it refuses.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The folders of the crate that hold no context.
const NO_CONTEXT: [&str; 3] = ["src", "target", "tests"];
/// In the order of `Dialect::ALL`.
const DIALECTS: [&str; 4] = ["mysql", "postgres", "sqlite", "sqlserver"];
const DIRECTIONS: [&str; 2] = ["up", "down"];

/// One context's folder.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) name: String,
    pub(crate) migrations: Vec<Folder>,
}

/// One migration's folder, `NNNN_name`.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) number: u32,
    pub(crate) name: String,
}

/// All contexts below `root` in alphabetical order, or everything that is wrong with them.
pub(crate) fn collect(root: &Path) -> Result<Vec<Context>, Vec<String>> {
    let mut problems = Vec::new();
    let mut contexts = Vec::new();
    for name in entries(root, &mut problems) {
        let folder = root.join(&name);
        if folder.is_dir() && !name.starts_with('.') && !NO_CONTEXT.contains(&name.as_str()) {
            let migrations = context(&name, &folder, &mut problems);
            contexts.push(Context { name, migrations });
        }
    }
    if problems.is_empty() { Ok(contexts) } else { Err(problems) }
}

/// The source of the table that embeds every file.
pub(crate) fn table(contexts: &[Context]) -> String {
    // One constant for each context: what a nested reference points to would be dropped before the table is made.
    let mut text = String::new();
    for (index, context) in contexts.iter().enumerate() {
        let _ = writeln!(text, "const CONTEXT_{index}: &[Migration] = &[");
        for Folder { number, name } in &context.migrations {
            let _ = writeln!(text, "    Migration::embedded({number}, {name:?}, [");
            for dialect in DIALECTS {
                text.push_str("        Scripts {");
                for direction in DIRECTIONS {
                    let file = format!("/{}/{number:04}_{name}/{dialect}.{direction}.sql", context.name);
                    let _ = write!(
                        text,
                        " {direction}: std::borrow::Cow::Borrowed(include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {file:?}))),"
                    );
                }
                text.push_str(" },\n");
            }
            text.push_str("    ]),\n");
        }
        text.push_str("];\n");
    }
    text.push_str("static SETS: &[MigrationSet] = &[\n");
    for (index, context) in contexts.iter().enumerate() {
        let _ = writeln!(text, "    MigrationSet::embedded({:?}, CONTEXT_{index}),", context.name);
    }
    text.push_str("];\n");
    text
}

fn context(context: &str, folder: &Path, problems: &mut Vec<String>) -> Vec<Folder> {
    let mut migrations: Vec<Folder> = Vec::new();
    for entry in entries(folder, problems) {
        let place = format!("migrations/{context}/{entry}");
        if entry.starts_with('.') {
            continue;
        }
        let Some(migration) = parse(&entry) else {
            problems.push(format!("{place} is not named like 0001_create_users"));
            continue;
        };
        files(&place, &folder.join(&entry), problems);
        migrations.push(migration);
    }
    for (position, migration) in migrations.iter().enumerate() {
        let expected = u32::try_from(position + 1).unwrap_or(u32::MAX);
        if migration.number != expected {
            let Folder { number, name } = migration;
            problems.push(format!(
                "migrations/{context}: {number:04}_{name} stands where number {expected:04} belongs; numbers begin at \
                 0001 and leave no gap"
            ));
            break;
        }
    }
    if migrations.is_empty() {
        problems.push(format!("migrations/{context} holds no migration such as 0001_create_{context}"));
    }
    migrations
}

fn files(place: &str, folder: &Path, problems: &mut Vec<String>) {
    let found = entries(folder, problems);
    let expected: Vec<String> = DIALECTS
        .iter()
        .flat_map(|dialect| DIRECTIONS.iter().map(move |direction| format!("{dialect}.{direction}.sql")))
        .collect();
    for file in &expected {
        if !found.contains(file) {
            problems.push(format!("{place}/{file} is missing"));
        } else if fs::read_to_string(folder.join(file)).is_ok_and(|text| text.trim().is_empty()) {
            problems.push(format!("{place}/{file} is empty; a step that does nothing says so with `SELECT 1;`"));
        }
    }
    for file in found {
        if !file.starts_with('.') && !expected.contains(&file) {
            problems.push(format!("{place}/{file} belongs to no engine and no direction"));
        }
    }
}

fn parse(entry: &str) -> Option<Folder> {
    let (number, name) = entry.split_once('_')?;
    let digits = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let named = (1..=100).contains(&name.len()) && name.bytes().all(word);
    if digits && named { Some(Folder { number: number.parse().ok()?, name: name.to_owned() }) } else { None }
}

fn entries(folder: &Path, problems: &mut Vec<String>) -> Vec<String> {
    let read = || -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    };
    read().unwrap_or_else(|error| {
        problems.push(format!("cannot list {}: {error}", folder.display()));
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(root: &Path, folder: &str) {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).unwrap();
        for dialect in DIALECTS {
            for direction in DIRECTIONS {
                fs::write(folder.join(format!("{dialect}.{direction}.sql")), "SELECT 1;").unwrap();
            }
        }
    }

    #[track_caller]
    fn refused(root: &Path, needle: &str) {
        let problems = collect(root).expect_err("the folder is refused");
        assert!(problems.iter().any(|problem| problem.contains(needle)), "{problems:?} do not name {needle:?}");
    }

    #[test]
    fn contexts_and_migrations_come_in_order() {
        let root = tempfile::tempdir().unwrap();
        migration(root.path(), "users/0002_add_status");
        migration(root.path(), "users/0001_create_users");
        migration(root.path(), "books/0001_create_books");
        fs::create_dir(root.path().join("src")).unwrap();
        let contexts = collect(root.path()).unwrap();
        let seen: Vec<_> = contexts
            .iter()
            .flat_map(|context| context.migrations.iter().map(|folder| (&*context.name, folder.number, &*folder.name)))
            .collect();
        let expected = [("books", 1, "create_books"), ("users", 1, "create_users"), ("users", 2, "add_status")];
        assert_eq!(seen, expected);
        assert_eq!(table(&contexts).matches("include_str!").count(), 3 * 8);
    }

    #[test]
    fn a_gap_in_the_numbers_is_refused() {
        let root = tempfile::tempdir().unwrap();
        migration(root.path(), "users/0001_create_users");
        migration(root.path(), "users/0003_add_status");
        refused(root.path(), "0003_add_status stands where number 0002 belongs");
    }

    #[test]
    fn a_number_used_twice_is_refused() {
        let root = tempfile::tempdir().unwrap();
        migration(root.path(), "users/0001_create_users");
        migration(root.path(), "users/0001_other");
        refused(root.path(), "0001_other stands where number 0002 belongs");
    }

    #[test]
    fn a_missing_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        migration(root.path(), "users/0001_create_users");
        fs::remove_file(root.path().join("users/0001_create_users/sqlserver.down.sql")).unwrap();
        refused(root.path(), "users/0001_create_users/sqlserver.down.sql is missing");
    }

    #[test]
    fn an_empty_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        migration(root.path(), "users/0001_create_users");
        fs::write(root.path().join("users/0001_create_users/sqlite.up.sql"), "\n").unwrap();
        refused(root.path(), "sqlite.up.sql is empty");
    }

    #[test]
    fn a_file_nobody_would_run_is_refused() {
        let root = tempfile::tempdir().unwrap();
        migration(root.path(), "users/0001_create_users");
        fs::write(root.path().join("users/0001_create_users/postgresql.up.sql"), "SELECT 1;").unwrap();
        refused(root.path(), "postgresql.up.sql belongs to no engine");
    }

    #[test]
    fn a_folder_with_another_name_is_refused() {
        let root = tempfile::tempdir().unwrap();
        migration(root.path(), "users/create_users");
        refused(root.path(), "users/create_users is not named like 0001_create_users");
    }
}
