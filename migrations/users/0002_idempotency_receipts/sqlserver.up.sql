-- What was answered to requests with an idempotency key. A table for each context, so that contexts can share a database.
CREATE TABLE user_receipts (
    -- SHA-256 of caller and operation.
    scope BINARY(32) NOT NULL,
    idempotency_key NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- SHA-256 of the request.
    request_digest BINARY(32) NOT NULL,
    answer VARBINARY(MAX) NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL,
    CONSTRAINT user_receipts_pk PRIMARY KEY (scope, idempotency_key)
);

CREATE INDEX user_receipts_by_created_at ON user_receipts (created_at);
