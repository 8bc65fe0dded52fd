-- Who did what to which connection: written and never changed. No secrets, no data.
CREATE TABLE connection_audit (
    id BLOB NOT NULL,
    occurred_at TEXT NOT NULL,
    -- The token's name; NULL where there was none that counts.
    actor TEXT NULL,
    action TEXT NOT NULL,
    -- No foreign key: what is told of a connection outlives it.
    connection_id BLOB NULL,
    outcome TEXT NOT NULL,
    status INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    trace_id TEXT NOT NULL,
    -- How many calls the row stands for: those that are turned away are counted together.
    calls INTEGER NOT NULL,
    CONSTRAINT connection_audit_pk PRIMARY KEY (id),
    CONSTRAINT connection_audit_calls_positive CHECK (calls >= 1)
);

CREATE INDEX connection_audit_by_connection ON connection_audit (connection_id, occurred_at, id);
CREATE INDEX connection_audit_by_occurred_at ON connection_audit (occurred_at, id);
