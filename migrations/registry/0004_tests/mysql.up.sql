-- How each connection did in its last test: stages, codes and milliseconds as JSON. No secrets, no addresses.
CREATE TABLE connection_health (
    connection_id BINARY(16) NOT NULL,
    -- Which version of the connection was tested.
    connection_version BIGINT NOT NULL,
    tested_at DATETIME(6) NOT NULL,
    report MEDIUMTEXT NOT NULL,
    CONSTRAINT connection_health_pk PRIMARY KEY (connection_id),
    CONSTRAINT connection_health_connection_fk FOREIGN KEY (connection_id) REFERENCES connections (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
