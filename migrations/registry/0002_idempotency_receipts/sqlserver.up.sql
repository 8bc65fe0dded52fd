-- What was answered to requests with an idempotency key. A table for each context, so that contexts can share a database.
CREATE TABLE connection_receipts (
    -- SHA-256 of caller and operation.
    scope BINARY(32) NOT NULL,
    idempotency_key NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- SHA-256 of the request.
    request_digest BINARY(32) NOT NULL,
    answer VARBINARY(MAX) NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL,
    CONSTRAINT connection_receipts_pk PRIMARY KEY (scope, idempotency_key)
);

CREATE INDEX connection_receipts_by_created_at ON connection_receipts (created_at);
