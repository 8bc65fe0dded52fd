//! What a call allocates to be seen: nothing, as long as nobody wants its span.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use futures_util::FutureExt as _;
use sea_query::{Expr, ExprTrait as _, Query};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, Engine, RawStatement, Statement};
use tracing::{Instrument as _, Level};

use super::Operations;
use crate::credentials::{Keyring, LocalSecrets};
use crate::settings::ConnectionSettings;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    /// Of this thread alone: other tests may run beside this one.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator with a counter in front.
struct Counting;

#[expect(unsafe_code, reason = "an allocator can be written in no other way; it hands every call on as it came")]
// SAFETY: every method hands its arguments to the system's allocator and returns what that returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has nothing left to count with.
        let _ended = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above, that is, from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The allocations of a call whose work allocates nothing; not of the first, which asks the subscriber what it wants.
fn of_a_call(operations: &Operations, statement: &Statement) -> u64 {
    of_any_call(operations, statement);
    of_any_call(operations, statement)
}

fn of_any_call(operations: &Operations, statement: &Statement) -> u64 {
    let context = RequestContext::system();
    let before = ALLOCATIONS.get();
    let operation = operations.statement(statement, "SELECT 1", &context);
    let outcome = async { Ok::<(), DatabaseError>(()) }.instrument(operation.span()).now_or_never();
    if let Some(outcome) = outcome {
        operations.ended(&operation, &outcome);
    }
    drop(operation);
    ALLOCATIONS.get() - before
}

#[test]
fn a_call_whose_span_nobody_wants_allocates_nothing() {
    let settings = ConnectionSettings::new(Engine::POSTGRES).with_host("db.example").with_port(5432).with_database("d");
    let name: shared_kernel::database::ConnectionName = "shelves".parse().expect("a name");
    let keyring = Keyring::new(std::sync::Arc::new(LocalSecrets), name.clone(), settings);
    let operations = Operations::new("postgresql", &name, &keyring.into());
    let tree = Query::select().column("name").from("shelves").and_where(Expr::col("id").eq(7)).take();
    let statements = [Statement::from(tree), RawStatement::everywhere("SELECT", "SELECT 1").into()];
    let of_each = || statements.each_ref().map(|statement| of_a_call(&operations, statement));
    let subscribed = |level: Level| {
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::sink).finish();
        tracing::subscriber::with_default(subscriber, of_each)
    };
    assert_eq!(of_each(), [0, 0], "nobody listens");
    assert_eq!(subscribed(Level::INFO), [0, 0], "somebody listens to other things");
    // Last, because a subscriber that has gone is believed to be there until another comes.
    assert!(subscribed(Level::DEBUG).iter().all(|count| *count > 0), "a span that somebody wants is seen here");
}
