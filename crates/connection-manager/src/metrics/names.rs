use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// The upper bounds, in seconds, that OpenTelemetry's conventions advise for `db.client.operation.duration`. They advise
/// none for the pool's times, which are of the same order and get the same ones.
pub const DURATION_BOUNDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Tells the recorder in effect what the measurements mean and in which units they are, which it may show or make a part
/// of their names. The conventions' counts have no unit in their names, so only times have one here.
pub fn describe() {
    describe_histogram!("db.client.operation.duration", Unit::Seconds, "Duration of database client operations.");
    pool();
    endpoint();
    secrets();
}

fn pool() {
    describe_gauge!("db.client.connection.count", "Open connections by what they are: idle or used.");
    describe_gauge!("db.client.connection.idle.max", "The most idle connections that are kept.");
    describe_gauge!("db.client.connection.idle.min", "The connections that are kept open even when nobody uses them.");
    describe_gauge!("db.client.connection.max", "The most connections that may be open.");
    describe_gauge!("db.client.connection.pending_requests", "Callers who wait for a connection.");
    describe_counter!("db.client.connection.timeouts", "Callers who were told that no connection came free in time.");
    describe_histogram!(
        "db.client.connection.create_time",
        Unit::Seconds,
        "How long it took to open a connection and log in."
    );
    describe_histogram!("db.client.connection.wait_time", Unit::Seconds, "How long callers waited for a connection.");
    describe_histogram!(
        "db.client.connection.use_time",
        Unit::Seconds,
        "How long connections were in somebody's hands before they came back or were thrown away."
    );
    describe_counter!("bindery.pool.renewals", "Connections opened in the place of one with older credentials.");
    describe_counter!("bindery.pool.demotions", "Times a pool gave up its connections to a server that only reads.");
    describe_counter!("bindery.pool.retries", "Calls that failed and could be sent again, by what came of it.");
    describe_counter!("bindery.pool.cancels", "Statements that a server was told to leave off.");
    describe_counter!("bindery.pool.leaks", "Connections held for so long that they may never come back.");
    describe_counter!("bindery.reads", "Reads of connections with replicas, by the role of who was asked.");
    describe_counter!("bindery.replica.fallbacks", "Reads that went to the primary after a replica had been chosen.");
    describe_gauge!(
        "bindery.replica.lag",
        Unit::Seconds,
        "How old at most the state is that a replica shows; NaN where that is not known."
    );
    describe_gauge!("bindery.replica.serving", "1 for a replica that reads may go to, 0 for one that is left out.");
    describe_gauge!("bindery.tenants.live", "Tenants that have a pool.");
    describe_counter!("bindery.tenants.evictions", "Tenants' pools that were closed, by reason: idle or displaced.");
    describe_gauge!("bindery.definitions.live", "Connections defined elsewhere that have a pool.");
    describe_counter!(
        "bindery.definitions.evictions",
        "Pools of connections defined elsewhere that were closed, by reason: idle or displaced."
    );
}

fn endpoint() {
    describe_gauge!("bindery.circuit.state", "The circuit to a server: 0 closed, 1 half-open, 2 open.");
    describe_counter!("bindery.circuit.rejections", "Calls refused because a server's circuit was open.");
    describe_counter!(
        "bindery.circuit.shared.adoptions",
        "Times a circuit opened because another process had found the server out of reach and it answered no knock."
    );
    describe_counter!(
        "bindery.circuit.shared.doubts",
        "Times another process had found the server out of reach and it answered here."
    );
    describe_counter!("bindery.circuit.shared.failures", "Times the board of circuits did not answer.");
    describe_gauge!("bindery.server.connections.limit", "The most connections that pools may have to a server.");
    describe_gauge!("bindery.server.connections.used", "The connections that pools have to a limited server.");
    describe_gauge!("bindery.server.connections.waiting_pools", "Pools that are short of connections to a server.");
}

fn secrets() {
    describe_counter!("bindery.secret.cache.hits", "Secrets answered from a copy, by level: process or shared.");
    describe_counter!("bindery.secret.cache.refreshes", "Copies renewed ahead of their end.");
    describe_counter!("bindery.secret.cache.stale_serves", "Expired copies served while the store was away.");
    describe_counter!("bindery.secret.fetches", "Questions to the store of secrets, whatever came of them.");
    describe_counter!("bindery.secret.fetch.failures", "Questions to the store of secrets that failed.");
    describe_gauge!(
        "bindery.secret.fetched",
        Unit::Seconds,
        "When the store was last asked, since 1970; its age is the rest."
    );
    describe_gauge!("bindery.secret.version", "1 for the version of a secret in use, 0 for those before it.");
    describe_counter!("bindery.secret.rotations", "How often a secret was found to have another version.");
    describe_counter!("bindery.secret.shared.failures", "Calls to the shared level of secrets that failed.");
    describe_counter!("bindery.secret.shared.unreadable", "Shared copies that could not be opened.");
}
