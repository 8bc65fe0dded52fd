mod words;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use book_context::application::{CreateBook, CreateBookError};
use book_context::domain::BookRepository;
use book_context::infrastructure::SqlBookRepository;
use connection_manager::ConnectionManager;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use shared_kernel::database::Connections;
use shared_kernel::{Clock, IdGenerator, RequestContext, SystemClock, SystemIdGenerator};
use user_context::application::{CreateUser, CreateUserCommand, CreateUserError};
use user_context::domain::UserRepository;
use user_context::infrastructure::SqlUserRepository;

use crate::Plugins;
use crate::application::{manager_of_command, migrate_embedded, open_data_folder};
use crate::cli::SeedArgs;
use crate::commands::say;
use crate::config::Config;
use crate::gate::Gate;

/// How many creations are under way at a time; engines that commit to disk overlap their waiting.
const AT_ONCE: usize = 8;
/// How long closing the connections may take at the end.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// Fills the databases through the use cases. The same numbers give the same rows, and what is there stays.
pub(super) async fn run(arguments: SeedArgs, plugins: &Plugins) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None, &plugins.connectors)?;
    let _data = open_data_folder(&config)?;
    let manager = manager_of_command(&config, &plugins.connectors)?;
    let done = fill(&config, &manager, &arguments).await;
    manager.close(CLOSE_GRACE).await;
    done
}

async fn fill(config: &Config, manager: &ConnectionManager, arguments: &SeedArgs) -> anyhow::Result<()> {
    migrate_embedded(config, manager).await?;
    let per_tenant = config.contexts.iter().find(|(_, connection)| config.per_tenant.contains_key(*connection));
    if let (Some((context, _)), None) = (per_tenant, &arguments.tenant) {
        bail!("`{context}` is kept per tenant: say whose with `--tenant NAME`");
    }
    let connections: Arc<dyn Connections> = Arc::new(Gate::new(config, manager.clone()));
    let (clock, ids): (Arc<dyn Clock>, Arc<dyn IdGenerator>) = (Arc::new(SystemClock), Arc::new(SystemIdGenerator));
    let users: Arc<dyn UserRepository> = Arc::new(SqlUserRepository::new(connections.clone(), &config.contexts.users));
    let books: Arc<dyn BookRepository> = Arc::new(SqlBookRepository::new(connections, &config.contexts.books));
    let create_user = CreateUser::new(users, clock.clone(), ids.clone());
    let create_book = CreateBook::new(books, clock, ids);
    let system = RequestContext { tenant: arguments.tenant.clone(), ..RequestContext::system() };

    let create = async |number| {
        let (name, email) = words::user(number)?;
        match create_user.execute(CreateUserCommand { name, email }, None, &system).await {
            Ok(_) => Ok(true),
            Err(CreateUserError::EmailTaken) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("user {number} was not created")),
        }
    };
    let bar = bar("users", arguments.users);
    let made = count(stream::iter(0..arguments.users).map(create), &bar).await?;
    report("users", made, arguments.users);

    let create = async |number| {
        let details = words::book(number)?;
        match create_book.execute(details, None, &system).await {
            Ok(_) => Ok(true),
            Err(CreateBookError::IsbnTaken) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("book {number} was not created")),
        }
    };
    let bar = self::bar("books", arguments.books);
    let made = count(stream::iter(0..arguments.books).map(create), &bar).await?;
    report("books", made, arguments.books);
    Ok(())
}

/// Runs the creations, some at a time, and counts those that made something.
async fn count<F>(creations: impl futures_util::Stream<Item = F>, bar: &ProgressBar) -> anyhow::Result<u32>
where
    F: Future<Output = anyhow::Result<bool>>,
{
    let counted = creations.buffer_unordered(AT_ONCE).try_fold(0, |made, new| {
        bar.inc(1);
        std::future::ready(Ok(made + u32::from(new)))
    });
    let made = counted.await?;
    bar.finish_and_clear();
    Ok(made)
}

/// A bar on a terminal, nothing elsewhere.
fn bar(what: &'static str, length: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:8} {bar:40} {pos}/{len} {eta}");
    ProgressBar::new(u64::from(length)).with_style(style.unwrap_or(ProgressStyle::default_bar())).with_message(what)
}

fn report(what: &str, made: u32, asked: u32) {
    match asked - made {
        0 => say(format_args!("{what}: {made} created")),
        there => say(format_args!("{what}: {made} created, {there} were there already")),
    }
}
