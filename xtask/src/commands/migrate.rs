//! `cargo xtask migrate`: schemas, through the service's own program, and the files of a new migration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

use super::api;
use crate::ui::Screen;
use crate::workspace;

/// The files of one migration. `MariaDB` runs those of `MySQL`.
const DIALECTS: [&str; 4] = ["mysql", "postgres", "sqlite", "sqlserver"];

/// Bring schemas up to date, take them back, or begin a new migration
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Apply what is missing
    #[command(disable_help_flag = true)]
    Up(api::Rest),
    /// Take back the newest
    #[command(disable_help_flag = true)]
    Down(api::Rest),
    /// Show each migration and how it stands
    #[command(disable_help_flag = true)]
    Status(api::Rest),
    /// Print the scripts for the configured engines
    #[command(disable_help_flag = true)]
    Print(api::Rest),
    /// Record what was found, or made, of a migration that did not finish
    #[command(disable_help_flag = true)]
    Repair(api::Rest),
    /// Make the files of a new migration, up and down for each dialect
    New {
        /// The context, such as `users`
        context: String,
        /// What it changes, in a few words joined by underscores
        name: String,
    },
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<ExitCode> {
    match &arguments.action {
        Action::Up(rest) => api::run(&["migrate", "up"], rest),
        Action::Down(rest) => api::run(&["migrate", "down"], rest),
        Action::Status(rest) => api::run(&["migrate", "status"], rest),
        Action::Print(rest) => api::run(&["migrate", "print"], rest),
        Action::Repair(rest) => api::run(&["migrate", "repair"], rest),
        Action::New { context, name } => {
            let folder = scaffold(&workspace::root().join("migrations"), context, name)?;
            let shown = folder.strip_prefix(workspace::root()).unwrap_or(&folder);
            screen.line(format_args!(
                "✓ {} holds a file for each dialect, up and down; fill in all eight",
                shown.display()
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Makes `<context>/NNNN_<name>` with the next number.
fn scaffold(migrations: &Path, context: &str, name: &str) -> Result<PathBuf> {
    let is_word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if !is_word(name) {
        bail!("`{name}` is no name for a migration: lower-case letters, digits and underscores");
    }
    let home = migrations.join(context);
    if !is_word(context) || !home.is_dir() {
        bail!("there is no context `{context}`; there are: {}", contexts(migrations)?.join(", "));
    }
    let mut last = 0;
    for folder in folders(&home)? {
        let (number, other) = folder.split_once('_').unwrap_or((&folder, ""));
        let number: u32 = number.parse().with_context(|| format!("`{folder}` does not begin with a number"))?;
        if other == name {
            bail!("{context} has a migration of this name already: {folder}");
        }
        last = last.max(number);
    }
    let folder = home.join(format!("{:04}_{name}", last + 1));
    fs::create_dir(&folder).with_context(|| format!("creating {}", folder.display()))?;
    for dialect in DIALECTS {
        for direction in ["up", "down"] {
            let words = name.replace('_', " ");
            let text = format!("-- {context}, {words}: what this changes, and why.\n");
            fs::write(folder.join(format!("{dialect}.{direction}.sql")), text)?;
        }
    }
    Ok(folder)
}

/// Folders that hold migrations.
fn contexts(migrations: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for name in folders(migrations)? {
        let numbered = |folder: &String| folder.starts_with(|c: char| c.is_ascii_digit());
        if folders(&migrations.join(&name))?.iter().any(numbered) {
            found.push(name);
        }
    }
    Ok(found)
}

fn folders(path: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("reading {}", path.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrations() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("users/0001_users")).unwrap();
        fs::create_dir_all(folder.path().join("users/0002_receipts")).unwrap();
        fs::create_dir_all(folder.path().join("src")).unwrap();
        folder
    }

    #[test]
    fn a_new_migration_takes_the_next_number_and_has_eight_files() {
        let root = migrations();
        let folder = scaffold(root.path(), "users", "add_phone").unwrap();
        assert_eq!(folder, root.path().join("users/0003_add_phone"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 8);
        assert!(folder.join("sqlserver.down.sql").is_file());
    }

    #[test]
    fn an_unknown_context_is_refused_and_the_known_ones_are_named() {
        let root = migrations();
        let error = scaffold(root.path(), "user", "add_phone").unwrap_err();
        assert!(error.to_string().ends_with("there are: users"), "{error}");
        assert!(scaffold(root.path(), "../users", "add_phone").is_err());
    }

    #[test]
    fn a_name_that_is_taken_or_odd_is_refused() {
        let root = migrations();
        assert!(scaffold(root.path(), "users", "receipts").is_err());
        assert!(scaffold(root.path(), "users", "Add Phone").is_err());
        assert!(scaffold(root.path(), "users", "../x").is_err());
    }
}
