use std::time::Duration;

/// What a session of a connection from outside may take: of its server, which ends by itself what takes longer, also when
/// this process has gone, and of this process.
///
/// Some servers count lock waits and idleness in whole seconds; what is less is taken for one. SQL Server knows the limit on
/// lock waits alone, Redis and DynamoDB none: there, the caller's deadline ends what takes too long. SQLite is no server: it is held to
/// them in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLimits {
    /// How long one statement may run.
    pub statement: Duration,
    /// How long one statement may wait for a lock.
    pub lock_wait: Duration,
    /// How long the server keeps a session that asks nothing. Longer than a pool keeps one.
    pub idle: Duration,
    /// How many bytes a server may send without having been asked anything in between. Drivers keep a row in memory however
    /// long it is. Its rows may take four times as much, not counting what was sent. Of SQLite, which sends nothing, rows and their
    /// values together may take four times as much, and so may what SQLite comes to keep in this process meanwhile.
    pub answer: usize,
}

impl Default for SessionLimits {
    /// 30 s, 5 s, 20 min, 64 MiB.
    fn default() -> Self {
        Self {
            statement: Duration::from_secs(30),
            lock_wait: Duration::from_secs(5),
            idle: Duration::from_mins(20),
            answer: 64 << 20,
        }
    }
}
