-- Who did what to which connection: written and never changed. No secrets, no data.
CREATE TABLE connection_audit (
    id BINARY(16) NOT NULL,
    occurred_at DATETIMEOFFSET(6) NOT NULL,
    -- The token's name; NULL where there was none that counts.
    actor NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    action NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- No foreign key: what is told of a connection outlives it.
    connection_id BINARY(16) NULL,
    outcome NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    status INT NOT NULL,
    duration_ms BIGINT NOT NULL,
    trace_id NVARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- How many calls the row stands for: those that are turned away are counted together.
    calls BIGINT NOT NULL,
    CONSTRAINT connection_audit_pk PRIMARY KEY (id),
    CONSTRAINT connection_audit_calls_positive CHECK (calls >= 1)
);

CREATE INDEX connection_audit_by_connection ON connection_audit (connection_id, occurred_at, id);
CREATE INDEX connection_audit_by_occurred_at ON connection_audit (occurred_at, id);
