-- What was answered to requests with an idempotency key. A table for each context, so that contexts can share a database.
CREATE TABLE book_receipts (
    -- SHA-256 of caller and operation.
    scope BLOB NOT NULL,
    idempotency_key TEXT NOT NULL,
    -- SHA-256 of the request.
    request_digest BLOB NOT NULL,
    answer BLOB NOT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT book_receipts_pk PRIMARY KEY (scope, idempotency_key)
);

CREATE INDEX book_receipts_by_created_at ON book_receipts (created_at);
