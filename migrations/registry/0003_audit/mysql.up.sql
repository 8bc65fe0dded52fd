-- Who did what to which connection: written and never changed. No secrets, no data.
CREATE TABLE connection_audit (
    id BINARY(16) NOT NULL,
    occurred_at DATETIME(6) NOT NULL,
    -- The token's name; NULL where there was none that counts.
    actor VARCHAR(64) NULL,
    action VARCHAR(32) NOT NULL,
    -- No foreign key: what is told of a connection outlives it.
    connection_id BINARY(16) NULL,
    outcome VARCHAR(64) NOT NULL,
    status INT NOT NULL,
    duration_ms BIGINT NOT NULL,
    trace_id VARCHAR(32) NOT NULL,
    -- How many calls the row stands for: those that are turned away are counted together.
    calls BIGINT NOT NULL,
    CONSTRAINT connection_audit_pk PRIMARY KEY (id),
    CONSTRAINT connection_audit_calls_positive CHECK (calls >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX connection_audit_by_connection ON connection_audit (connection_id, occurred_at, id);
CREATE INDEX connection_audit_by_occurred_at ON connection_audit (occurred_at, id);
