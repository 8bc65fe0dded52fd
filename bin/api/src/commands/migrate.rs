use std::time::Duration;

use anyhow::{Context as _, bail};
use connection_manager::ConnectionManager;
use migrations::{Direction, Entry, EntryState, MigrationSet, Migrator, Repair};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections as _, Dialect};

use crate::application::manager_of_command;
use crate::cli::{MigrateArgs, MigrateCommand, RepairFound};
use crate::commands::say;
use crate::config::{CONTEXTS, Config};

/// How long closing the connections may take at the end.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// Brings the schemas of one or all contexts up to date, takes them back, or shows them.
pub(super) async fn run(arguments: MigrateArgs) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None)?;
    let targets = targets(&config, arguments.context.as_deref())?;
    if matches!(arguments.command, MigrateCommand::Print) {
        return print(&config, &targets);
    }
    if matches!(arguments.command, MigrateCommand::Repair { .. }) && targets.len() != 1 {
        bail!("name the context of the migration with `--context`: {}", CONTEXTS.join(" or "));
    }
    let _data = crate::application::open_data_folder(&config)?;
    let manager = manager_of_command(&config)?;
    let done = each(&manager, &targets, arguments.command).await;
    manager.close(CLOSE_GRACE).await;
    done
}

type Target<'a> = (&'static str, &'a str, &'static MigrationSet);

fn targets<'a>(config: &'a Config, only: Option<&str>) -> anyhow::Result<Vec<Target<'a>>> {
    if let Some(only) = only.filter(|only| !CONTEXTS.contains(only)) {
        bail!("there is no context `{only}`, only {}", CONTEXTS.join(" and "));
    }
    let wanted = config.contexts.iter().filter(|(context, _)| only.is_none_or(|only| only == *context));
    Ok(wanted.filter_map(|(context, connection)| Some((context, connection, migrations::set(context)?))).collect())
}

async fn each(manager: &ConnectionManager, targets: &[Target<'_>], command: MigrateCommand) -> anyhow::Result<()> {
    let system = RequestContext::system();
    for (context, name, set) in targets {
        let connection = manager.get(name, Access::Write, &system).await;
        let connection = connection.with_context(|| format!("the connection of context `{context}` does not open"))?;
        let migrator = Migrator::new(set, connection);
        match command {
            MigrateCommand::Up { steps } => up(&migrator, context, steps, &system).await?,
            MigrateCommand::Down { steps } => {
                let steps = usize::try_from(steps).unwrap_or(usize::MAX);
                let taken_back = migrator.down(steps, &system).await?;
                for step in &taken_back {
                    say(format_args!("{context}: ran {}", step.file));
                }
                if taken_back.is_empty() {
                    say(format_args!("{context}: nothing to take back"));
                }
            }
            MigrateCommand::Status => {
                let entries = migrator.status(&system).await?;
                for entry in &entries {
                    say(line(context, entry));
                }
            }
            MigrateCommand::Repair { number, found } => {
                let (found, word) = match found {
                    RepairFound::Applied => (Repair::Applied, "applied"),
                    RepairFound::Undone => (Repair::Undone, "not applied"),
                };
                migrator.repair(number, found, &system).await?;
                say(format_args!("{context}: migration {number:04} counts as {word} now"));
            }
            MigrateCommand::Print => {}
        }
    }
    Ok(())
}

async fn up(migrator: &Migrator, context: &str, steps: Option<u32>, system: &RequestContext) -> anyhow::Result<()> {
    let pending: Vec<u32> = migrator.pending(system).await?.iter().map(|migration| migration.number()).collect();
    let most = steps.map_or(pending.len(), |steps| usize::try_from(steps).unwrap_or(usize::MAX));
    let applied = match pending[..most.min(pending.len())].last() {
        Some(target) => migrator.up_to(*target, system).await?,
        None => Vec::new(),
    };
    for step in &applied {
        say(format_args!("{context}: ran {} in {:.0?}", step.file, step.took));
    }
    if applied.is_empty() {
        say(format_args!("{context}: up to date"));
    }
    Ok(())
}

fn line(context: &str, entry: &Entry) -> String {
    let state = match &entry.state {
        EntryState::Pending => "pending".to_owned(),
        EntryState::Applied { at, took } => format!("applied at {} in {took:.0?}", at.format("%Y-%m-%d %H:%M:%S UTC")),
        EntryState::Unfinished { direction, since } => format!("{direction} began at {since} and has not finished"),
        EntryState::Changed { recorded, found } => format!("changed after it was applied: {recorded} is now {found}"),
        EntryState::Unknown => "applied by a newer binary".to_owned(),
    };
    format!("{context:<8} {:04} {:<28} {state}", entry.number, entry.name)
}

fn print(config: &Config, targets: &[Target<'_>]) -> anyhow::Result<()> {
    for (context, name, set) in targets {
        let settings = config.connections.get(*name);
        let settings = settings.with_context(|| format!("there is no connection `{name}` for context `{context}`"))?;
        let dialect: Dialect = match settings.engine.as_str() {
            "mariadb" => Dialect::MySql,
            engine => engine.parse()?,
        };
        say(set.print(dialect, Direction::Up).trim_end());
    }
    Ok(())
}
