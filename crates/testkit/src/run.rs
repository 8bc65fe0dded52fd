use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

/// How long a test may take before it counts as hanging.
const LIMIT: Duration = Duration::from_mins(3);
/// How often a condition is looked at.
const STEP: Duration = Duration::from_millis(10);

/// Runs a test's body on a runtime of its own with two workers. [`crate::on_every_engine!`] calls it.
///
/// # Panics
/// When the body panics, or does not end within three minutes.
pub fn run<F: Future<Output = ()>>(body: F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for the test");
    let outcome = runtime.block_on(async { tokio::time::timeout(LIMIT, body).await });
    runtime.shutdown_timeout(Duration::from_secs(5));
    assert!(outcome.is_ok(), "the test did not end within {} s", LIMIT.as_secs());
}

/// Waits until `condition` holds.
///
/// # Panics
/// At the caller's line, when it does not hold within `limit`.
#[track_caller]
pub fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let began = Instant::now();
        while !condition() {
            assert!(began.elapsed() < limit, "{caller}: the condition did not hold within {} ms", limit.as_millis());
            tokio::time::sleep(STEP).await;
        }
    }
}

/// Asks until there is an answer, and returns it.
///
/// # Panics
/// At the caller's line, when there is none within `limit`.
#[track_caller]
pub fn eventually_some<T, F>(limit: Duration, mut question: impl FnMut() -> F) -> impl Future<Output = T>
where
    F: Future<Output = Option<T>>,
{
    let caller = Location::caller();
    async move {
        let began = Instant::now();
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            assert!(began.elapsed() < limit, "{caller}: there was no answer within {} ms", limit.as_millis());
            tokio::time::sleep(STEP).await;
        }
    }
}

/// Makes a `#[test]` on every engine of each `async fn name(server: Server)` that is listed.
///
/// The tests lie in `on_engines::{mysql, mariadb, postgres, sqlite, sqlserver}`, so that a test's path says where it
/// runs. Use it once in a module.
///
/// ```
/// use testkit::Server;
///
/// async fn a_name_is_told(server: Server) {
///     assert!(!server.as_str().is_empty());
/// }
///
/// testkit::on_every_engine!(a_name_is_told);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod on_engines {
            $crate::on_every_engine!(@engine mysql MySql $($test)+);
            $crate::on_every_engine!(@engine mariadb MariaDb $($test)+);
            $crate::on_every_engine!(@engine postgres Postgres $($test)+);
            $crate::on_every_engine!(@engine sqlite Sqlite $($test)+);
            $crate::on_every_engine!(@engine sqlserver SqlServer $($test)+);
        }
    };
    (@engine $module:ident $server:ident $($test:ident)+) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    $crate::run(super::super::$test($crate::Server::$server));
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_comes_true_is_waited_for() {
        run(async {
            let mut looks = 0;
            eventually(Duration::from_secs(5), || {
                looks += 1;
                looks == 3
            })
            .await;
        });
    }

    #[test]
    #[should_panic(expected = "run.rs")]
    fn a_condition_that_never_holds_names_the_caller() {
        run(eventually(Duration::ZERO, || false));
    }
}
