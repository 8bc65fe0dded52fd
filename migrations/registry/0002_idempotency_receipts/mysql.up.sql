-- What was answered to requests with an idempotency key. A table for each context, so that contexts can share a database.
CREATE TABLE connection_receipts (
    -- SHA-256 of caller and operation.
    scope BINARY(32) NOT NULL,
    idempotency_key VARCHAR(255) NOT NULL,
    -- SHA-256 of the request.
    request_digest BINARY(32) NOT NULL,
    answer MEDIUMBLOB NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT connection_receipts_pk PRIMARY KEY (scope, idempotency_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX connection_receipts_by_created_at ON connection_receipts (created_at);
