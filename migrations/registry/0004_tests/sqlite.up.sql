-- How each connection did in its last test: stages, codes and milliseconds as JSON. No secrets, no addresses.
CREATE TABLE connection_health (
    connection_id BLOB NOT NULL,
    -- Which version of the connection was tested.
    connection_version INTEGER NOT NULL,
    tested_at TEXT NOT NULL,
    report TEXT NOT NULL,
    CONSTRAINT connection_health_pk PRIMARY KEY (connection_id),
    CONSTRAINT connection_health_connection_fk FOREIGN KEY (connection_id) REFERENCES connections (id) ON DELETE CASCADE
);
