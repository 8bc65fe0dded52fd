-- What databases looked like, each as a whole: written once and never changed. No secrets, no rows of anybody's tables.
CREATE TABLE connection_snapshots (
    id BLOB NOT NULL,
    connection_id BLOB NOT NULL,
    -- Which of its connection's places it has: no two have the same, so that there are never more than there are places.
    slot INTEGER NOT NULL,
    -- Which version of the connection was followed.
    connection_version INTEGER NOT NULL,
    taken_at TEXT NOT NULL,
    -- SHA-256 of the model's canonical JSON, in hexadecimal digits.
    fingerprint TEXT NOT NULL,
    engine TEXT NOT NULL,
    database_name TEXT NOT NULL,
    -- The part of the database that was looked at; NULL where it was all of it.
    part TEXT NULL,
    label TEXT NULL,
    relations INTEGER NOT NULL,
    -- How many bytes the document has once it is unpacked.
    document_bytes INTEGER NOT NULL,
    -- JSON, packed as in RFC 1950.
    document BLOB NOT NULL,
    CONSTRAINT connection_snapshots_pk PRIMARY KEY (id),
    CONSTRAINT connection_snapshots_slot_unique UNIQUE (connection_id, slot),
    CONSTRAINT connection_snapshots_connection_fk FOREIGN KEY (connection_id) REFERENCES connections (id) ON DELETE CASCADE,
    CONSTRAINT connection_snapshots_slot_positive CHECK (slot >= 1)
);

CREATE INDEX connection_snapshots_by_taken_at ON connection_snapshots (connection_id, taken_at, id);
