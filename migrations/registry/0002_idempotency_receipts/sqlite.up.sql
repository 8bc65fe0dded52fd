-- What was answered to requests with an idempotency key. A table for each context, so that contexts can share a database.
CREATE TABLE connection_receipts (
    -- SHA-256 of caller and operation.
    scope BLOB NOT NULL,
    idempotency_key TEXT NOT NULL,
    -- SHA-256 of the request.
    request_digest BLOB NOT NULL,
    answer BLOB NOT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT connection_receipts_pk PRIMARY KEY (scope, idempotency_key)
);

CREATE INDEX connection_receipts_by_created_at ON connection_receipts (created_at);
