//! The programs of servers for tests that start their own: pairs of a primary and a replica, servers that are restarted.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::place::Home;
use super::programs::{self, Programs};
use super::{Service, Source, mariadb, mysql};

/// What tests are told of the programs of a server, wherever they can be had. Nothing where they cannot: a test that needs
/// them says so.
pub(super) fn variables(service: Service) -> Vec<(String, String)> {
    if !matches!(service, Service::Mysql | Service::Mariadb | Service::Postgres) {
        return Vec::new();
    }
    let Ok(home) = Home::locate() else { return Vec::new() };
    let found = [Source::Installed, Source::Packages]
        .into_iter()
        .find_map(|source| programs::find(service, source, &home, &|_| {}).ok().flatten());
    found.and_then(|programs| of(service, &programs, &home).ok()).unwrap_or_default()
}

fn of(service: Service, programs: &Programs, home: &Home) -> Result<Vec<(String, String)>> {
    let variable = |name: &str, path: PathBuf| (name.to_owned(), path.display().to_string());
    Ok(match service {
        Service::Mysql => {
            let path = script(home, "mysql-server", &[("", mysql::program(programs))])?;
            vec![variable("BINDERY_TEST_MYSQL_SERVER", path)]
        }
        Service::Mariadb => {
            let share = mariadb::share(programs)?;
            let path = script(home, "mariadb-server", &[("", mariadb::program(programs, &share))])?;
            let system = home.packages("mariadb-system.sql");
            fs::write(&system, mariadb::system_tables(&share)?)
                .with_context(|| format!("writing {}", system.display()))?;
            vec![variable("BINDERY_TEST_MARIADB_SERVER", path), variable("BINDERY_TEST_MARIADB_SYSTEM", system)]
        }
        Service::Postgres => {
            let names = ["initdb", "pg_basebackup"].map(|name| (name, programs.sibling(name)));
            let all: Vec<_> = names.into_iter().chain([("postgres", programs.server())]).collect();
            vec![variable("BINDERY_TEST_POSTGRES_SERVER", script(home, "postgres-server", &all)?)]
        }
        _ => Vec::new(),
    })
}

/// A script that starts a program with whatever its libraries need: the one without a name, or the one that its first
/// argument names.
pub(super) fn script(home: &Home, name: &str, programs: &[(&str, Command)]) -> Result<PathBuf> {
    let mut script = "#!/bin/sh\n".to_owned();
    for (name, program) in programs {
        let (begin, end) = if name.is_empty() {
            (String::new(), "")
        } else {
            (format!("if [ \"$1\" = {} ]; then\nshift\n", quoted(name)), "fi\n")
        };
        script.push_str(&begin);
        for (name, value) in program.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            writeln!(script, "export {}={}", name.display(), quoted(&value.to_string_lossy()))?;
        }
        script.push_str("exec");
        for word in std::iter::once(program.get_program()).chain(program.get_args()) {
            script.push(' ');
            script.push_str(&quoted(&word.to_string_lossy()));
        }
        script.push_str(" \"$@\"\n");
        script.push_str(end);
    }
    if programs.iter().all(|(name, _)| !name.is_empty()) {
        script.push_str("echo \"there is no program $1\" >&2\nexit 64\n");
    }
    let path = home.packages(&format!("{name}.sh"));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // In one step: a test may be about to start it.
    let draft = path.with_extension(format!("sh.{}", std::process::id()));
    fs::write(&draft, script).with_context(|| format!("writing {}", draft.display()))?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755))?;
    fs::rename(&draft, &path).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

/// A word that a shell takes as it stands.
pub(super) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_a_quotation_mark_reaches_the_program_whole() {
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
