-- What databases looked like, each as a whole: written once and never changed. No secrets, no rows of anybody's tables.
CREATE TABLE connection_snapshots (
    id UUID NOT NULL,
    connection_id UUID NOT NULL,
    -- Which of its connection's places it has: no two have the same, so that there are never more than there are places.
    slot INTEGER NOT NULL,
    -- Which version of the connection was followed.
    connection_version BIGINT NOT NULL,
    taken_at TIMESTAMPTZ(6) NOT NULL,
    -- SHA-256 of the model's canonical JSON, in hexadecimal digits.
    fingerprint VARCHAR(64) COLLATE "C" NOT NULL,
    engine VARCHAR(64) COLLATE "C" NOT NULL,
    database_name TEXT COLLATE "C" NOT NULL,
    -- The part of the database that was looked at; NULL where it was all of it.
    part VARCHAR(200) COLLATE "C" NULL,
    label VARCHAR(100) COLLATE "C" NULL,
    relations BIGINT NOT NULL,
    -- How many bytes the document has once it is unpacked.
    document_bytes BIGINT NOT NULL,
    -- JSON, packed as in RFC 1950.
    document BYTEA NOT NULL,
    CONSTRAINT connection_snapshots_pk PRIMARY KEY (id),
    CONSTRAINT connection_snapshots_slot_unique UNIQUE (connection_id, slot),
    CONSTRAINT connection_snapshots_connection_fk FOREIGN KEY (connection_id) REFERENCES connections (id) ON DELETE CASCADE,
    CONSTRAINT connection_snapshots_slot_positive CHECK (slot >= 1)
);

CREATE INDEX connection_snapshots_by_taken_at ON connection_snapshots (connection_id, taken_at, id);
