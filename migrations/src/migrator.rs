use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared_kernel::database::{DatabaseConnection, DatabaseError, Dialect, SqlConnection, SqlExecutor};
use shared_kernel::{Clock, RequestContext, SystemClock};

use crate::status::Comparison;
use crate::{Direction, Entry, MigrateError, Migration, MigrationSet, Progress, Verdict, batches};

pub(crate) mod history;
mod lock;

use history::{Record, State};
use lock::{Guard, LockError, Wait};

/// Applies one context's migrations to one database.
///
/// Several runners may be started at once, in one process or in many: each migration is applied once. A runner that is
/// dropped or killed half way leaves nothing behind on PostgreSQL, SQLite and SQL Server; on MySQL and MariaDB, which
/// commit at every `CREATE` and `ALTER`, the next runner reports the migration as [`MigrateError::HalfApplied`].
pub struct Migrator {
    set: MigrationSet,
    connection: Arc<dyn DatabaseConnection>,
    clock: Arc<dyn Clock>,
    lock_wait: Duration,
    progress: Box<dyn Fn(Progress<'_>) + Send + Sync>,
}

/// A script that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The migration's number.
    pub number: u32,
    /// The script's path below the migrations' folder.
    pub file: String,
    /// How long it took.
    pub took: Duration,
}

/// What a person found, or made, of a migration that did not finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// All of its forward script is in effect.
    Applied,
    /// Nothing of its forward script is in effect.
    Undone,
}

impl Migrator {
    /// A runner that waits up to one minute for the lock and tells nobody of its progress.
    pub fn new(set: &MigrationSet, connection: Arc<dyn DatabaseConnection>) -> Self {
        Self {
            set: set.clone(),
            connection,
            clock: Arc::new(SystemClock),
            lock_wait: Duration::from_mins(1),
            progress: Box::new(|_| {}),
        }
    }

    /// How long to wait while another runner is at work.
    #[must_use]
    pub fn with_lock_wait(mut self, limit: Duration) -> Self {
        self.lock_wait = limit;
        self
    }

    /// Where the instants in the history come from.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Whom to tell what is being done.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(Progress<'_>) + Send + Sync + 'static) -> Self {
        self.progress = Box::new(tell);
        self
    }

    /// How each migration stands, those included that only the database knows. Changes nothing and takes no lock.
    ///
    /// # Errors
    /// [`MigrateError::Database`].
    pub async fn status(&self, context: &RequestContext) -> Result<Vec<Entry>, MigrateError> {
        let sql = self.sql()?;
        Ok(self.compare(sql, context).await?.entries)
    }

    /// Whether the schema fits this binary; what readiness asks. Changes nothing and takes no lock.
    ///
    /// # Errors
    /// [`MigrateError::Database`].
    pub async fn verify(&self, context: &RequestContext) -> Result<Verdict, MigrateError> {
        let sql = self.sql()?;
        Ok(self.compare(sql, context).await?.verdict())
    }

    /// The migrations that [`Migrator::up`] would apply, oldest first. Changes nothing and takes no lock.
    ///
    /// # Errors
    /// [`MigrateError::Database`].
    pub async fn pending(&self, context: &RequestContext) -> Result<Vec<&Migration>, MigrateError> {
        let entries = self.status(context).await?;
        let pending = entries.iter().filter(|entry| entry.state == crate::EntryState::Pending);
        Ok(pending.filter_map(|entry| self.set.get(entry.number)).collect())
    }

    /// Applies everything that is pending and returns what it ran.
    ///
    /// # Errors
    /// Every [`MigrateError`]. Migrations before the failed one stay applied.
    pub async fn up(&self, context: &RequestContext) -> Result<Vec<Step>, MigrateError> {
        self.up_to(self.set.latest(), context).await
    }

    /// Applies what is pending up to and including the migration numbered `target`.
    ///
    /// # Errors
    /// Every [`MigrateError`]. Migrations before the failed one stay applied.
    pub async fn up_to(&self, target: u32, context: &RequestContext) -> Result<Vec<Step>, MigrateError> {
        if target > self.set.latest() {
            return Err(self.no_such(target, "does not exist"));
        }
        let sql = self.sql()?;
        // The usual start of a process finds nothing to do and leaves the lock alone.
        if self.compare(sql, context).await?.verdict() == Verdict::UpToDate {
            return Ok(Vec::new());
        }
        let mut guard = self.lock(sql, context).await?;
        let outcome = self.run(&mut guard, Direction::Up, context, |comparison, _| comparison.next_up(target)).await;
        guard.release(context).await;
        outcome
    }

    /// Takes back the newest `steps` migrations, newest first, and returns what it ran.
    ///
    /// # Errors
    /// Every [`MigrateError`]. Migrations taken back before the failed one stay so.
    pub async fn down(&self, steps: usize, context: &RequestContext) -> Result<Vec<Step>, MigrateError> {
        let sql = self.sql()?;
        let mut guard = self.lock(sql, context).await?;
        let next = |comparison: &Comparison<'_>, done: usize| {
            let newest = comparison.next_down().filter(|_| done < steps)?;
            self.set.get(newest.number())
        };
        let outcome = self.run(&mut guard, Direction::Down, context, next).await;
        guard.release(context).await;
        outcome
    }

    /// Records what a person found out about a migration that did not finish.
    ///
    /// # Errors
    /// [`MigrateError::NoSuchMigration`] when the migration is not unfinished, and what the database may answer.
    pub async fn repair(&self, number: u32, found: Repair, context: &RequestContext) -> Result<(), MigrateError> {
        let sql = self.sql()?;
        let guard = self.lock(sql, context).await?;
        let outcome = self.repair_locked(guard.executor(), number, found, context).await;
        guard.release(context).await;
        outcome
    }

    async fn repair_locked(
        &self,
        database: &dyn SqlExecutor,
        number: u32,
        found: Repair,
        context: &RequestContext,
    ) -> Result<(), MigrateError> {
        let history = self.load(database, context).await?;
        let unfinished = history.into_iter().find(|record| record.number == number && record.state != State::Applied);
        let record = unfinished.ok_or_else(|| self.no_such(number, "is not unfinished"))?;
        let repaired = match found {
            Repair::Applied => {
                let record = Record { state: State::Applied, applied_at: self.clock.now(), ..record };
                history::update(database, self.set.context(), &record, context).await
            }
            Repair::Undone => history::delete(database, self.set.context(), number, context).await,
        };
        repaired.map_err(self.failed_to("repair the migration history"))
    }

    /// Runs one migration after another until `next` names no more.
    async fn run<'set>(
        &'set self,
        guard: &mut Guard<'_>,
        direction: Direction,
        context: &RequestContext,
        next: impl Fn(&Comparison<'set>, usize) -> Option<&'set Migration>,
    ) -> Result<Vec<Step>, MigrateError> {
        let mut done = Vec::new();
        loop {
            let step = if guard.executor().dialect() == Dialect::MySql {
                self.step_marked(guard.executor(), direction, context, |seen| next(seen, done.len())).await?
            } else {
                self.step_in_transaction(guard, direction, context, |seen| next(seen, done.len())).await?
            };
            match step {
                Some(step) => done.push(step),
                None => return Ok(done),
            }
        }
    }

    /// Looks at the history, runs the script and records it, all in one transaction.
    async fn step_in_transaction<'set>(
        &'set self,
        guard: &mut Guard<'_>,
        direction: Direction,
        context: &RequestContext,
        next: impl Fn(&Comparison<'set>) -> Option<&'set Migration>,
    ) -> Result<Option<Step>, MigrateError> {
        let transaction = guard.begin(context).await.map_err(|error| self.not_locked(error))?;
        let work = async {
            let Some(migration) = self.next(transaction.as_ref(), context, next).await? else { return Ok(None) };
            let step = self.run_script(transaction.as_ref(), migration, direction, "", context).await?;
            let recorded = match direction {
                Direction::Up => {
                    let record = self.record(migration, State::Applied, transaction.dialect(), step.took);
                    history::insert(transaction.as_ref(), self.set.context(), &record, context).await
                }
                Direction::Down => {
                    history::delete(transaction.as_ref(), self.set.context(), migration.number(), context).await
                }
            };
            recorded.map_err(self.failed_to("record the migration"))?;
            Ok(Some(step))
        };
        match work.await {
            Ok(step) => {
                transaction.commit(context).await.map_err(self.failed_to("commit the migration"))?;
                if let Some(step) = &step {
                    (self.progress)(Progress::Finished { file: &step.file, direction, took: step.took });
                }
                Ok(step)
            }
            Err(error) => {
                // What went wrong first is the news; dropping the transaction rolls back in any case.
                if let Err(error) = transaction.rollback(context).await {
                    tracing::debug!(%error, "the rollback after a failed migration failed as well");
                }
                Err(error)
            }
        }
    }

    /// For engines that commit at every DDL statement: a mark before and a mark after the script.
    async fn step_marked<'set>(
        &'set self,
        database: &dyn SqlExecutor,
        direction: Direction,
        context: &RequestContext,
        next: impl Fn(&Comparison<'set>) -> Option<&'set Migration>,
    ) -> Result<Option<Step>, MigrateError> {
        let Some(migration) = self.next(database, context, next).await? else { return Ok(None) };
        let of = self.set.context();
        let record = |state, took| self.record(migration, state, database.dialect(), took);
        let marked = match direction {
            Direction::Up => history::insert(database, of, &record(State::Started, Duration::ZERO), context).await,
            Direction::Down => history::update(database, of, &record(State::Reverting, Duration::ZERO), context).await,
        };
        marked.map_err(self.failed_to("mark the migration as started"))?;
        let remedy = "; statements before the failing one stay in effect, because this engine commits each: complete \
                      or undo them by hand, then mark the migration as applied or as undone";
        let step = self.run_script(database, migration, direction, remedy, context).await?;
        let recorded = match direction {
            Direction::Up => history::update(database, of, &record(State::Applied, step.took), context).await,
            Direction::Down => history::delete(database, of, migration.number(), context).await,
        };
        recorded.map_err(self.failed_to("record the migration"))?;
        (self.progress)(Progress::Finished { file: &step.file, direction, took: step.took });
        Ok(Some(step))
    }

    /// The next migration, when the history is one that can be built upon.
    async fn next<'set>(
        &'set self,
        database: &dyn SqlExecutor,
        context: &RequestContext,
        next: impl Fn(&Comparison<'set>) -> Option<&'set Migration>,
    ) -> Result<Option<&'set Migration>, MigrateError> {
        let comparison = self.compare(database, context).await?;
        comparison.check()?;
        let next = next(&comparison);
        let missing = !history::exists(database, context).await.map_err(self.failed_to("look for the history"))?;
        if next.is_some() && missing {
            history::create(database, context).await.map_err(self.failed_to("create the migration history"))?;
        }
        Ok(next)
    }

    async fn run_script(
        &self,
        database: &dyn SqlExecutor,
        migration: &Migration,
        direction: Direction,
        remedy: &'static str,
        context: &RequestContext,
    ) -> Result<Step, MigrateError> {
        let dialect = database.dialect();
        let file = self.set.file(migration, dialect, direction);
        (self.progress)(Progress::Started { file: &file, direction });
        let began = Instant::now();
        for batch in batches(dialect, migration.script(dialect, direction)) {
            if let Err(source) = database.run_script(&batch, context).await {
                let code = source.code().map(str::to_owned);
                return Err(MigrateError::Script { file, code, remedy, source });
            }
        }
        Ok(Step { number: migration.number(), file, took: began.elapsed() })
    }

    async fn compare(
        &self,
        database: &dyn SqlExecutor,
        context: &RequestContext,
    ) -> Result<Comparison<'_>, MigrateError> {
        let history = self.load(database, context).await?;
        Ok(Comparison::new(&self.set, database.dialect(), &history))
    }

    async fn load(&self, database: &dyn SqlExecutor, context: &RequestContext) -> Result<Vec<Record>, MigrateError> {
        if history::exists(database, context).await.map_err(self.failed_to("look for the migration history"))? {
            history::load(database, self.set.context(), context)
                .await
                .map_err(self.failed_to("read the migration history"))
        } else {
            Ok(Vec::new())
        }
    }

    async fn lock<'a>(
        &'a self,
        sql: &'a dyn SqlConnection,
        context: &RequestContext,
    ) -> Result<Guard<'a>, MigrateError> {
        let wait = Wait { limit: self.lock_wait, tell: self.progress.as_ref() };
        Guard::acquire(sql, wait, context).await.map_err(|error| self.not_locked(error))
    }

    fn record(&self, migration: &Migration, state: State, dialect: Dialect, took: Duration) -> Record {
        Record {
            number: migration.number(),
            name: migration.name().to_owned(),
            checksum: migration.checksum(dialect),
            state,
            applied_at: self.clock.now(),
            took,
        }
    }

    fn sql(&self) -> Result<&dyn SqlConnection, MigrateError> {
        self.connection.sql().map_err(self.failed_to("use the connection"))
    }

    fn failed_to(&self, doing: &'static str) -> impl Fn(DatabaseError) -> MigrateError {
        let context = self.set.context().to_owned();
        move |source| MigrateError::Database { context: context.clone(), doing, source }
    }

    fn not_locked(&self, error: LockError) -> MigrateError {
        let context = self.set.context().to_owned();
        match error {
            LockError::Taken => MigrateError::Locked { context, waited: self.lock_wait },
            LockError::Database(source) => MigrateError::Database { context, doing: "take the migration lock", source },
        }
    }

    fn no_such(&self, number: u32, reason: &'static str) -> MigrateError {
        MigrateError::NoSuchMigration { context: self.set.context().to_owned(), number, reason }
    }
}

impl fmt::Debug for Migrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrator")
            .field("context", &self.set.context())
            .field("connection", self.connection.name())
            .finish_non_exhaustive()
    }
}
