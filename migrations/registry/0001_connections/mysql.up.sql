-- Text is utf8mb4 under a binary collation: order and equality are those of code points, on MySQL and MariaDB alike.
CREATE TABLE connections (
    id BINARY(16) NOT NULL,
    name VARCHAR(100) NOT NULL,
    -- The folded name: what is unique, and the order of lists.
    name_key VARCHAR(300) NOT NULL,
    -- The folded name once more as text: what is searched.
    search_key VARCHAR(300) NOT NULL,
    engine VARCHAR(64) NOT NULL,
    host VARCHAR(253) NULL,
    port INT NULL,
    database_name VARCHAR(255) NULL,
    path VARCHAR(500) NULL,
    username VARCHAR(255) NULL,
    -- Mode and certificates as JSON; no key.
    tls MEDIUMTEXT NULL,
    -- The engine's own options as a JSON object of texts.
    options TEXT NOT NULL,
    -- A JSON object of texts: what a connection shows of its labels.
    labels TEXT NOT NULL,
    notes TEXT NULL,
    -- The name of a secret in a secrets manager.
    secret VARCHAR(512) NULL,
    -- Which key has sealed the record's data key; then the data key, sealed, and what is sealed with it.
    key_name VARCHAR(64) NULL,
    data_key MEDIUMBLOB NULL,
    sealed_password MEDIUMBLOB NULL,
    sealed_client_key MEDIUMBLOB NULL,
    version BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT connections_pk PRIMARY KEY (id),
    CONSTRAINT connections_name_key_unique UNIQUE (name_key),
    CONSTRAINT connections_port_valid CHECK (port BETWEEN 1 AND 65535),
    CONSTRAINT connections_sealed_whole CHECK (
        (key_name IS NULL AND data_key IS NULL AND sealed_password IS NULL AND sealed_client_key IS NULL)
        OR (key_name IS NOT NULL AND data_key IS NOT NULL)
    ),
    CONSTRAINT connections_version_positive CHECK (version >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX connections_by_engine ON connections (engine, name_key, id);
CREATE INDEX connections_by_created_at ON connections (created_at, id);
CREATE INDEX connections_by_updated_at ON connections (updated_at, id);
CREATE INDEX connections_by_key_name ON connections (key_name, id);

-- One row a label, to find connections by label.
CREATE TABLE connection_labels (
    connection_id BINARY(16) NOT NULL,
    label_key VARCHAR(63) NOT NULL,
    label_value VARCHAR(200) NOT NULL,
    CONSTRAINT connection_labels_pk PRIMARY KEY (connection_id, label_key),
    CONSTRAINT connection_labels_connection_fk FOREIGN KEY (connection_id) REFERENCES connections (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX connection_labels_by_label ON connection_labels (label_key, label_value, connection_id);
