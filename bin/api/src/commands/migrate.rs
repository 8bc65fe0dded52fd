use std::time::Duration;

use anyhow::{Context as _, bail};
use connection_manager::{ConnectionManager, PerTenantSettings};
use migrations::{Direction, Entry, EntryState, MigrationSet, Migrator, Repair};
use shared_kernel::database::{Access, Connections as _, Dialect, Engine};
use shared_kernel::{RequestContext, TenantId};

use crate::Plugins;
use crate::application::manager_of_command;
use crate::cli::{MigrateArgs, MigrateCommand, RepairFound};
use crate::commands::say;
use crate::config::{CONTEXTS, Config};
use crate::gate::prepare_file;
use crate::telemetry::chain;

/// How long closing the connections may take at the end.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// Brings the schemas of one or all contexts up to date, takes them back, or shows them.
pub(super) async fn run(arguments: MigrateArgs, plugins: &Plugins) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None, &plugins.connectors)?;
    if matches!(arguments.command, MigrateCommand::Print) {
        return print(&config, &schemas(&config, arguments.context.as_deref())?);
    }
    let targets = targets(&config, &arguments)?;
    if matches!(arguments.command, MigrateCommand::Repair { .. }) && targets.len() != 1 {
        bail!(
            "name the context of the migration with `--context`: {}; and its tenant, if it has one, with `--tenant`",
            CONTEXTS.join(" or ")
        );
    }
    let _data = crate::application::open_data_folder(&config)?;
    let manager = manager_of_command(&config, &plugins.connectors)?;
    let done = each(&manager, &targets, arguments.command).await;
    manager.close(CLOSE_GRACE).await;
    done
}

type Schema<'a> = (&'static str, &'a str, &'static MigrationSet);

fn schemas<'a>(config: &'a Config, only: Option<&str>) -> anyhow::Result<Vec<Schema<'a>>> {
    if let Some(only) = only.filter(|only| !CONTEXTS.contains(only)) {
        bail!("there is no context `{only}`, only {}", CONTEXTS.join(" and "));
    }
    let wanted = config.contexts.iter().filter(|(context, _)| only.is_none_or(|only| only == *context));
    Ok(wanted.filter_map(|(context, connection)| Some((context, connection, migrations::set(context)?))).collect())
}

/// One schema in one database.
struct Target<'a> {
    schema: Schema<'a>,
    tenant: Option<TenantId>,
    /// What it is called in what is printed.
    label: String,
}

/// What is to be done, one after the other: what everybody shares first, then tenant by tenant.
fn targets<'a>(config: &'a Config, arguments: &MigrateArgs) -> anyhow::Result<Vec<Target<'a>>> {
    let schemas = schemas(config, arguments.context.as_deref())?;
    let (per_tenant, shared): (Vec<_>, Vec<_>) =
        schemas.into_iter().partition(|(_, connection, _)| config.per_tenant.contains_key(*connection));
    let listed = config.tenants.list()?;
    let tenants: Vec<TenantId> = match &arguments.tenant {
        Some(tenant) if per_tenant.is_empty() => bail!("nothing here is kept per tenant, so `{tenant}` has no schema"),
        Some(tenant) if !listed.contains(tenant) => bail!("there is no tenant `{tenant}`"),
        Some(tenant) => vec![tenant.clone()],
        None if arguments.all_tenants => listed.into_iter().collect(),
        None => match per_tenant.first() {
            Some((context, ..)) => {
                bail!("`{context}` is kept per tenant: say whose with `--tenant NAME`, or `--all-tenants`")
            }
            None => Vec::new(),
        },
    };
    let shared = shared.into_iter().filter(|_| arguments.tenant.is_none());
    let shared = shared.map(|schema| Target { schema, tenant: None, label: schema.0.to_owned() });
    let of_tenant = |tenant: &TenantId| {
        let (tenant, per_tenant) = (tenant.clone(), per_tenant.clone());
        per_tenant.into_iter().map(move |schema| {
            let label = format!("{tenant} {}", schema.0);
            Target { schema, tenant: Some(tenant.clone()), label }
        })
    };
    Ok(shared.chain(tenants.iter().flat_map(of_tenant)).collect())
}

/// Goes through the targets. Without tenants the first failure ends it; with them, it is told, and the rest goes on.
async fn each(manager: &ConnectionManager, targets: &[Target<'_>], command: MigrateCommand) -> anyhow::Result<()> {
    if targets.iter().all(|target| target.tenant.is_none()) {
        for target in targets {
            one(manager, target, command).await?;
        }
        return Ok(());
    }
    let mut failed = Vec::new();
    for target in targets {
        if let Err(error) = one(manager, target, command).await {
            say(format_args!("{}: failed: {}", target.label, chain(&*error)));
            failed.push(target.label.as_str());
        }
    }
    let well = targets.len() - failed.len();
    say(format_args!("{well} of {} schemas done", targets.len()));
    if failed.is_empty() { Ok(()) } else { bail!("not done: {}", failed.join(", ")) }
}

async fn one(manager: &ConnectionManager, target: &Target<'_>, command: MigrateCommand) -> anyhow::Result<()> {
    let Target { schema: (context, name, set), tenant, label } = target;
    let system = RequestContext { tenant: tenant.clone(), ..RequestContext::system() };
    let own = tenant.as_ref().and_then(|tenant| manager.settings_for(name, tenant));
    if let Some(settings) = own.filter(|settings| settings.engine == Engine::SQLITE) {
        prepare_file(&settings)?;
    }
    let connection = manager.get(name, Access::Write, &system).await;
    let connection = connection.with_context(|| match tenant {
        Some(tenant) => format!("the connection of tenant `{tenant}` for context `{context}` does not open"),
        None => format!("the connection of context `{context}` does not open"),
    })?;
    let migrator = Migrator::new(set, connection);
    match command {
        MigrateCommand::Up { steps } => up(&migrator, label, steps, &system).await?,
        MigrateCommand::Down { steps } => {
            let steps = usize::try_from(steps).unwrap_or(usize::MAX);
            let taken_back = migrator.down(steps, &system).await?;
            for step in &taken_back {
                say(format_args!("{label}: ran {}", step.file));
            }
            if taken_back.is_empty() {
                say(format_args!("{label}: nothing to take back"));
            }
        }
        MigrateCommand::Status => {
            for entry in &migrator.status(&system).await? {
                say(line(label, entry));
            }
        }
        MigrateCommand::Repair { number, found } => {
            let (found, word) = match found {
                RepairFound::Applied => (Repair::Applied, "applied"),
                RepairFound::Undone => (Repair::Undone, "not applied"),
            };
            migrator.repair(number, found, &system).await?;
            say(format_args!("{label}: migration {number:04} counts as {word} now"));
        }
        MigrateCommand::Print => {}
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

fn print(config: &Config, schemas: &[Schema<'_>]) -> anyhow::Result<()> {
    for (context, name, set) in schemas {
        let template = config.per_tenant.get(*name).map(PerTenantSettings::template);
        let settings = template.or_else(|| config.connections.get(*name));
        let settings = settings.with_context(|| format!("there is no connection `{name}` for context `{context}`"))?;
        let dialect: Dialect = match settings.engine.as_str() {
            "mariadb" => Dialect::MySql,
            engine => engine.parse()?,
        };
        say(set.print(dialect, Direction::Up).trim_end());
    }
    Ok(())
}
