use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Rendered, Row, TransactionMode};
use tokio::time::Instant;

use super::cancel::Flight;
use super::deadline::{Deadline, Interrupted, limited};
use super::driver::{Driver, DriverSession, Turn};
use super::errands::Errands;
use super::holder::{Holder, Holding};
use super::shared::{self, Connection, Phase, Shared};
use crate::breaker::Permit;
use crate::endpoint::{is_out_of_reach, was_asked};

/// A statement unanswered for this long counts against the server.
const SILENCE: Duration = Duration::from_millis(500);

/// A connection taken from a pool. Dropping it gives the connection back, or closes it when it is not known to be
/// in order.
pub struct Lease<D: Driver> {
    shared: Arc<Shared<D>>,
    connection: Option<Arc<Connection<D::Session>>>,
    /// For the next call.
    turn: Option<Turn>,
    /// A probe while the next call decides what becomes of the server's circuit.
    permit: Permit,
    fit: bool,
    spoiled: bool,
    /// Within a transaction that its caller wants to be for reading.
    reads_only: bool,
}

impl<D: Driver> Lease<D> {
    pub(super) fn new(shared: Arc<Shared<D>>, connection: Arc<Connection<D::Session>>) -> Self {
        Self {
            shared,
            connection: Some(connection),
            turn: None,
            permit: Permit::plain(),
            fit: true,
            spoiled: false,
            reads_only: false,
        }
    }

    pub(super) fn disarm(mut self) -> Option<Arc<Connection<D::Session>>> {
        self.connection.take()
    }

    /// Says who has the connection from now on.
    pub(super) fn note_holder(&self, holder: Holder, now: Instant) {
        if let Some(connection) = &self.connection {
            let _nobody = connection.hold(Some(Holding::new(holder, now)));
        }
    }

    /// Whether the pool will hand the connection to nobody else, because others have taken its place.
    pub(super) fn is_superseded(&self) -> bool {
        self.connection.as_ref().is_none_or(|connection| !self.shared.is_current(connection, Instant::now()))
    }

    /// What opened the connection.
    pub fn driver(&self) -> &D {
        &self.shared.driver
    }

    /// Says whether another caller may have the connection afterwards. `false` while it carries state of its own, such
    /// as an open transaction.
    pub fn set_fit(&mut self, fit: bool) {
        self.fit = fit;
    }

    /// Says that no other caller may ever have the connection, because it may carry settings, locks or temporary tables.
    /// The end of a transaction does not change that.
    pub fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// The next call's outcome is what `permit` is told.
    pub(super) fn answer_for(&mut self, permit: Permit) {
        self.permit = permit;
    }

    /// Keeps a turn for the next call.
    pub(super) fn grant(&mut self, turn: Option<Turn>) {
        self.turn = turn;
    }

    /// Runs one call on the session, which `operation` is given and gives back.
    ///
    /// Dropping the future drops the session with it. The session is dropped too when the deadline passes, when the
    /// pool's grace period ends, and after an error that leaves it in doubt; the lease then answers `Unreachable`. Where
    /// the caller left the server at work, it is told to leave off, in the background.
    ///
    /// # Errors
    /// What `operation` says; `Timeout`, `Closed` or `Unreachable`.
    pub async fn run<T, F, W>(&mut self, deadline: Deadline, operation: F) -> Result<T, DatabaseError>
    where
        F: FnOnce(Box<D::Session>) -> W,
        W: Future<Output = (Box<D::Session>, Result<T, DatabaseError>)>,
    {
        let Some(connection) = &self.connection else { return Err(self.gone()) };
        let began = Instant::now();
        if deadline.instant().is_some_and(|deadline| deadline <= began) {
            // Nothing was sent: the connection is as good as before.
            return Err(self.timed_out("the deadline had passed before the statement was sent"));
        }
        let Some(mut session) = connection.take() else { return Err(self.gone()) };
        if let Some(turn) = self.turn.take() {
            session.grant(turn);
        }
        let permit = std::mem::replace(&mut self.permit, Permit::plain());
        // Where the caller asked for it, or may have, it says nothing about the server.
        let may_write = !self.reads_only && !self.spoiled && self.shared.driver.expects_to_write();
        let flight = Flight::new(&self.shared, connection);
        let call = pin!(operation(session));
        match limited(call, deadline, &connection.cut).await {
            Ok((session, outcome)) => {
                flight.land();
                let keep = outcome.as_ref().map_or_else(|error| leaves_usable(error) && session.is_usable(), |_| true);
                if !keep || outcome.as_ref().err().is_none_or(was_asked) {
                    self.shared.note_contact(keep);
                }
                note_answer(&self.shared, permit, &outcome);
                let outcome = match outcome {
                    Err(error) if may_write && *error.kind() == DatabaseErrorKind::ReadOnlyTarget => {
                        Err(error.with_retry_after(self.shared.note_demotion(connection)))
                    }
                    outcome => outcome,
                };
                if keep && !connection.cut.is_pulled() {
                    connection.put(session);
                }
                outcome.map_err(|error| error.on(&self.shared.name))
            }
            Err(Interrupted::Deadline) => {
                self.shared.note_contact(false);
                note_silence(&self.shared, permit, began);
                Err(self.timed_out("no answer before the deadline"))
            }
            Err(Interrupted::Cut) => {
                // Whoever cut has the server told.
                flight.land();
                Err(self.shared.closed_error())
            }
        }
    }

    /// Runs a rendered statement and returns how many rows it matched.
    ///
    /// # Errors
    /// As [`Lease::run`].
    pub fn execute(
        &mut self,
        deadline: Deadline,
        statement: Rendered,
    ) -> impl Future<Output = Result<u64, DatabaseError>> + Send {
        self.run(deadline, |mut session| async move {
            let outcome = session.execute(statement.sql, statement.values).await;
            (session, outcome)
        })
    }

    /// Runs a rendered statement and returns its rows.
    ///
    /// # Errors
    /// As [`Lease::run`].
    pub fn query(
        &mut self,
        deadline: Deadline,
        statement: Rendered,
    ) -> impl Future<Output = Result<Vec<Row>, DatabaseError>> + Send {
        self.run(deadline, |mut session| async move {
            let outcome = session.query(statement.sql, statement.values).await;
            (session, outcome)
        })
    }

    /// Sends a text as it stands. A text may hold anything, so the connection is spoiled for others.
    ///
    /// # Errors
    /// As [`Lease::run`].
    pub async fn run_script(&mut self, deadline: Deadline, script: &str) -> Result<(), DatabaseError> {
        self.spoil();
        self.run(deadline, |mut session| async move {
            let outcome = session.run_script(script).await;
            (session, outcome)
        })
        .await
    }

    /// Begins a transaction. The connection stays unfit for others until [`Lease::commit`] or [`Lease::rollback`].
    ///
    /// # Errors
    /// As [`Lease::run`].
    pub async fn begin(&mut self, deadline: Deadline, mode: TransactionMode) -> Result<(), DatabaseError> {
        self.fit = false;
        self.reads_only = mode == TransactionMode::ReadOnly;
        self.run(deadline, |mut session| async move {
            let outcome = session.begin(mode).await;
            (session, outcome)
        })
        .await
    }

    /// Commits the open transaction.
    ///
    /// # Errors
    /// As [`Lease::run`].
    pub async fn commit(&mut self, deadline: Deadline) -> Result<(), DatabaseError> {
        let outcome = self.run(deadline, |mut session| async move {
            let outcome = session.commit().await;
            (session, outcome)
        });
        outcome.await?;
        self.fit = true;
        self.reads_only = false;
        Ok(())
    }

    /// Rolls the open transaction back.
    ///
    /// # Errors
    /// As [`Lease::run`].
    pub async fn rollback(&mut self, deadline: Deadline) -> Result<(), DatabaseError> {
        let outcome = self.run(deadline, |mut session| async move {
            let outcome = session.rollback().await;
            (session, outcome)
        });
        outcome.await?;
        self.fit = true;
        self.reads_only = false;
        Ok(())
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// As [`Lease::run`].
    pub async fn ping(&mut self, deadline: Deadline) -> Result<(), DatabaseError> {
        self.run(deadline, |mut session| async move {
            let outcome = session.ping().await;
            (session, outcome)
        })
        .await
    }

    /// Asks for the version that the server tells.
    ///
    /// # Errors
    /// As [`Lease::run`].
    pub async fn server_version(&mut self, deadline: Deadline) -> Result<Option<String>, DatabaseError> {
        self.run(deadline, |mut session| async move {
            let outcome = session.server_version().await;
            (session, outcome)
        })
        .await
    }

    fn timed_out(&self, message: &str) -> DatabaseError {
        DatabaseError::new(DatabaseErrorKind::Timeout, message).on(&self.shared.name)
    }

    fn gone(&self) -> DatabaseError {
        if self.shared.state().phase == Phase::Closing {
            return self.shared.closed_error();
        }
        DatabaseError::new(DatabaseErrorKind::Unreachable, "the physical connection was lost in an earlier call")
            .on(&self.shared.name)
    }
}

/// A connection that broke says little: its server may have been restarted meanwhile, and the next attempt to connect
/// tells. To a probe it is the answer.
fn note_answer<D: Driver, T>(shared: &Shared<D>, permit: Permit, outcome: &Result<T, DatabaseError>) {
    let lost = outcome.as_ref().is_err_and(is_out_of_reach);
    if lost {
        shared.note_loss();
    }
    // What the driver says by itself says nothing about the server.
    let answered = !lost && outcome.as_ref().err().is_none_or(was_asked);
    match permit.is_probe() {
        true if lost => permit.failed(),
        true if answered => permit.succeeded(),
        false if answered => shared.breaker.succeeded(),
        _ => {}
    }
}

/// A caller who gave the server no time has learnt nothing about it.
fn note_silence<D: Driver>(shared: &Shared<D>, permit: Permit, since: Instant) {
    if since.elapsed() < SILENCE {
        return;
    }
    if permit.is_probe() {
        permit.failed();
    } else {
        shared.note_failure();
    }
}

/// Whether the session is in step with the server after this error.
pub(super) fn leaves_usable(error: &DatabaseError) -> bool {
    !matches!(
        error.kind(),
        DatabaseErrorKind::Unreachable
            | DatabaseErrorKind::FileUnusable
            | DatabaseErrorKind::TlsFailed
            | DatabaseErrorKind::Timeout
            | DatabaseErrorKind::Closed
            | DatabaseErrorKind::AuthRejected
    )
}

impl<D: Driver> Drop for Lease<D> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let now = Instant::now();
        if let Some(holding) = connection.hold(None) {
            self.shared.metrics.used(holding.time(now));
        }
        if self.fit && !self.spoiled && connection.has_session() {
            shared::hand_on(&self.shared, connection, now);
            return;
        }
        let mut errands = Errands::default();
        {
            let mut state = self.shared.state();
            if state.phase == Phase::Closing && !connection.cut.is_pulled() {
                state.report.drained += 1;
            }
            state.dismiss(connection, &mut errands);
            self.shared.observe(&state);
        }
        errands.run(&self.shared);
    }
}

impl<D: Driver> fmt::Debug for Lease<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.connection.as_ref().map(|connection| connection.id);
        f.debug_struct("Lease").field("pool", &self.shared.name).field("connection", &id).finish_non_exhaustive()
    }
}
