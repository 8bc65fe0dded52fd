use tracing::{Level, Metadata};

/// Crates that are given credentials. At their finest levels some of them write down what they were given (the AWS SDK does
/// with settings that its configuration file has twice), and none promises never to.
const CAPPED: [&str; 10] =
    ["aws_", "h2", "hickory", "hyper", "mongodb", "redis", "reqwest", "rustls", "sqlx", "tiberius"];

/// Whether an event or a span may be written down at all, whatever the configured filter says: what the crates that hold
/// credentials tell is heard from INFO upwards.
pub(super) fn may_be_heard(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || !CAPPED.iter().any(|name| metadata.target().starts_with(name))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::EnvFilter;
    use tracing_subscriber::filter::FilterFn;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn crates_that_hold_credentials_are_not_heard_below_info() {
        let sink = Sink::default();
        let writer = sink.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        let filter = EnvFilter::new("trace,aws_runtime::env_config=trace");
        let subscriber = tracing_subscriber::registry().with(filter).with(FilterFn::new(may_be_heard)).with(lines);
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace!(target: "aws_runtime::env_config", "first");
            tracing::debug!(target: "sqlx::query", "second");
            tracing::info!(target: "aws_config", "third");
            tracing::warn!(target: "rustls::common", "fourth");
            tracing::trace!(target: "connection_manager::pool", "fifth");
        });
        let text = String::from_utf8(sink.0.lock().expect("not poisoned").clone()).expect("UTF-8");
        let heard: Vec<_> =
            ["first", "second", "third", "fourth", "fifth"].into_iter().filter(|word| text.contains(word)).collect();
        assert_eq!(heard, ["third", "fourth", "fifth"], "{text}");
    }
}
