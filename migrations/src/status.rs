//! What a history says about a set. Pure: the same comparison serves `status`, `verify`, `up` and `down`.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use shared_kernel::database::Dialect;

use crate::migrator::history::{Record, State};
use crate::{Direction, MigrateError, Migration, MigrationSet};

/// One migration as the set and the database know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the order, from 1.
    pub number: u32,
    /// What it does.
    pub name: String,
    /// How it stands.
    pub state: EntryState,
}

/// How a migration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// Not applied.
    Pending,
    /// Applied as it is written now.
    Applied {
        /// When it finished.
        at: DateTime<Utc>,
        /// How long its script took.
        took: Duration,
    },
    /// Begun and not finished: it is being run at this moment, or its runner died half way.
    Unfinished {
        /// Which way.
        direction: Direction,
        /// When it began.
        since: DateTime<Utc>,
    },
    /// Applied, and its script changed since.
    Changed {
        /// The checksum in the history table.
        recorded: String,
        /// The checksum of the script now.
        found: String,
    },
    /// Applied by a newer binary.
    Unknown,
}

/// Whether a schema fits this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every migration is applied as it is written now.
    UpToDate,
    /// Some are missing: the binary must not serve from this database yet.
    Behind {
        /// Their folders' names, oldest first.
        pending: Vec<String>,
    },
    /// All are applied, and more that this binary does not know. It may serve, because a schema changes in steps that
    /// the binary before can live with.
    Ahead {
        /// The unknown ones, as `NNNN_name`.
        unknown: Vec<String>,
    },
    /// An applied migration's script is not the one that was applied.
    Diverged {
        /// The folder's name.
        migration: String,
        /// The checksum in the history table.
        recorded: String,
        /// The checksum of the script now.
        found: String,
    },
    /// A migration began and has not finished.
    Unfinished {
        /// The folder's name.
        migration: String,
    },
}

/// A set beside the history of one database.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    set: &'a MigrationSet,
    dialect: Dialect,
    pub(crate) entries: Vec<Entry>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(set: &'a MigrationSet, dialect: Dialect, history: &[Record]) -> Self {
        let known = set.migrations().iter().map(|migration| {
            let record = history.iter().find(|record| record.number == migration.number());
            let state = record.map_or(EntryState::Pending, |record| state(migration, dialect, record));
            Entry { number: migration.number(), name: migration.name().to_owned(), state }
        });
        let unknown = history.iter().filter(|record| set.get(record.number).is_none()).map(|record| Entry {
            number: record.number,
            name: record.name.clone(),
            state: EntryState::Unknown,
        });
        Self { set, dialect, entries: known.chain(unknown).collect() }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        for entry in &self.entries {
            match &entry.state {
                EntryState::Unfinished { .. } => return Verdict::Unfinished { migration: entry.folder() },
                EntryState::Changed { recorded, found } => {
                    let (recorded, found) = (recorded.clone(), found.clone());
                    return Verdict::Diverged { migration: entry.folder(), recorded, found };
                }
                _ => {}
            }
        }
        let folders = |wanted: EntryState| {
            self.entries.iter().filter(|entry| entry.state == wanted).map(Entry::folder).collect::<Vec<_>>()
        };
        let (pending, unknown) = (folders(EntryState::Pending), folders(EntryState::Unknown));
        match (pending.is_empty(), unknown.is_empty()) {
            (false, _) => Verdict::Behind { pending },
            (true, false) => Verdict::Ahead { unknown },
            (true, true) => Verdict::UpToDate,
        }
    }

    /// Refuses every history that a runner must not build upon. Call it under the lock: without it, a migration that
    /// another runner is at work on looks unfinished.
    pub(crate) fn check(&self) -> Result<(), MigrateError> {
        let context = || self.set.context().to_owned();
        for entry in &self.entries {
            match &entry.state {
                EntryState::Unfinished { direction, since } => {
                    let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
                    return Err(MigrateError::HalfApplied {
                        file: self.file(entry.number, *direction),
                        direction: *direction,
                        since,
                    });
                }
                EntryState::Changed { recorded, found } => {
                    return Err(MigrateError::Changed {
                        file: self.file(entry.number, Direction::Up),
                        recorded: recorded.clone(),
                        found: found.clone(),
                    });
                }
                EntryState::Unknown => {
                    return Err(MigrateError::Unknown { context: context(), migration: entry.folder() });
                }
                EntryState::Pending | EntryState::Applied { .. } => {}
            }
        }
        let missing = self.entries.iter().position(|entry| entry.state == EntryState::Pending);
        let applied = self.entries.iter().rposition(|entry| entry.state != EntryState::Pending);
        match (missing, applied) {
            (Some(missing), Some(applied)) if missing < applied => Err(MigrateError::Gap {
                context: context(),
                missing: self.entries[missing].folder(),
                applied: self.entries[applied].folder(),
            }),
            _ => Ok(()),
        }
    }

    /// The oldest migration that is not applied, if it is not past `target`.
    pub(crate) fn next_up(&self, target: u32) -> Option<&'a Migration> {
        let next = self.entries.iter().find(|entry| entry.state == EntryState::Pending)?;
        self.set.get(next.number).filter(|migration| migration.number() <= target)
    }

    /// The newest migration that is applied.
    pub(crate) fn next_down(&self) -> Option<&'a Migration> {
        let newest = self.entries.iter().rfind(|entry| matches!(entry.state, EntryState::Applied { .. }))?;
        self.set.get(newest.number)
    }

    fn file(&self, number: u32, direction: Direction) -> String {
        self.set
            .get(number)
            .map_or_else(|| format!("{number:04}"), |migration| self.set.file(migration, self.dialect, direction))
    }
}

impl Entry {
    /// The folder's name, `NNNN_name`.
    pub fn folder(&self) -> String {
        format!("{:04}_{}", self.number, self.name)
    }
}

fn state(migration: &Migration, dialect: Dialect, record: &Record) -> EntryState {
    let found = migration.checksum(dialect);
    match record.state {
        State::Started => EntryState::Unfinished { direction: Direction::Up, since: record.applied_at },
        State::Reverting => EntryState::Unfinished { direction: Direction::Down, since: record.applied_at },
        State::Applied if record.checksum != found => EntryState::Changed { recorded: record.checksum.clone(), found },
        State::Applied => EntryState::Applied { at: record.applied_at, took: record.took },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scripts;

    fn set(count: u32) -> MigrationSet {
        let migrations = (1..=count).map(|number| {
            let scripts = Dialect::ALL.map(|_| Scripts { up: format!("UP {number}").into(), down: "DOWN".into() });
            Migration::new(number, "step", scripts)
        });
        MigrationSet::try_new("users", migrations.collect()).unwrap()
    }

    fn record(set: &MigrationSet, number: u32, state: State) -> Record {
        let checksum = set.get(number).map_or_else(String::new, |migration| migration.checksum(Dialect::Sqlite));
        Record { number, name: "step".into(), checksum, state, applied_at: DateTime::UNIX_EPOCH, took: Duration::ZERO }
    }

    fn compare<'a>(set: &'a MigrationSet, history: &[Record]) -> Comparison<'a> {
        Comparison::new(set, Dialect::Sqlite, history)
    }

    #[test]
    fn an_empty_history_is_behind_by_all() {
        let set = set(2);
        let comparison = compare(&set, &[]);
        let pending = vec!["0001_step".to_owned(), "0002_step".to_owned()];
        assert_eq!(comparison.verdict(), Verdict::Behind { pending });
        assert_eq!(comparison.next_up(2).unwrap().number(), 1);
        assert!(comparison.next_up(0).is_none());
        assert!(comparison.next_down().is_none());
    }

    #[test]
    fn a_full_history_is_up_to_date() {
        let set = set(2);
        let comparison = compare(&set, &[record(&set, 1, State::Applied), record(&set, 2, State::Applied)]);
        assert_eq!(comparison.verdict(), Verdict::UpToDate);
        comparison.check().unwrap();
        assert!(comparison.next_up(2).is_none());
        assert_eq!(comparison.next_down().unwrap().number(), 2);
    }

    #[test]
    fn a_newer_database_is_ahead_and_not_built_upon() {
        let set = set(1);
        let comparison = compare(&set, &[record(&set, 1, State::Applied), record(&set, 2, State::Applied)]);
        assert_eq!(comparison.verdict(), Verdict::Ahead { unknown: vec!["0002_step".into()] });
        assert!(matches!(comparison.check(), Err(MigrateError::Unknown { migration, .. }) if migration == "0002_step"));
    }

    #[test]
    fn a_changed_script_is_refused_by_its_file() {
        let set = set(1);
        let changed = Record { checksum: "0".repeat(64), ..record(&set, 1, State::Applied) };
        let comparison = compare(&set, &[changed]);
        assert!(matches!(comparison.verdict(), Verdict::Diverged { migration, .. } if migration == "0001_step"));
        let message = comparison.check().unwrap_err().to_string();
        assert!(message.starts_with("`users/0001_step/sqlite.up.sql` was changed after it was applied"), "{message}");
    }

    #[test]
    fn an_unfinished_migration_is_named_with_its_direction() {
        let set = set(2);
        for (state, file) in [(State::Started, "mysql.up.sql"), (State::Reverting, "mysql.down.sql")] {
            let comparison = Comparison::new(&set, Dialect::MySql, &[record(&set, 1, state)]);
            assert_eq!(comparison.verdict(), Verdict::Unfinished { migration: "0001_step".into() });
            let message = comparison.check().unwrap_err().to_string();
            assert!(message.starts_with(&format!("`users/0001_step/{file}` began at 1970")), "{message}");
        }
    }

    #[test]
    fn a_hole_in_the_history_is_refused() {
        let set = set(3);
        let comparison = compare(&set, &[record(&set, 1, State::Applied), record(&set, 3, State::Applied)]);
        assert!(matches!(
            comparison.check(),
            Err(MigrateError::Gap { missing, applied, .. }) if missing == "0002_step" && applied == "0003_step"
        ));
    }
}
