use std::fs;

/// How long a thread has been computing, in seconds; `None` where the kernel does not say, or has no such thread.
pub(crate) fn of(thread: u64) -> Option<f64> {
    let line = fs::read_to_string(format!("/proc/{thread}/schedstat")).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of months are below 2^53")]
    line.split_whitespace().next()?.parse::<u64>().ok().map(|nanoseconds| nanoseconds as f64 / 1e9)
}
