-- How each connection did in its last test: stages, codes and milliseconds as JSON. No secrets, no addresses.
CREATE TABLE connection_health (
    connection_id UUID NOT NULL,
    -- Which version of the connection was tested.
    connection_version BIGINT NOT NULL,
    tested_at TIMESTAMPTZ(6) NOT NULL,
    report TEXT COLLATE "C" NOT NULL,
    CONSTRAINT connection_health_pk PRIMARY KEY (connection_id),
    CONSTRAINT connection_health_connection_fk FOREIGN KEY (connection_id) REFERENCES connections (id) ON DELETE CASCADE
);
