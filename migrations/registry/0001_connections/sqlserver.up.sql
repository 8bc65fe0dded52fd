-- Keys are UTF-8 in VARBINARY, whose bytes sort as code points do: NVARCHAR compares UTF-16 code units and ignores
-- blanks at the end. Ids are BINARY(16), because UNIQUEIDENTIFIER sorts by its last bytes first. Columns that hold
-- ASCII and are compared with parameters are NVARCHAR, the type that parameters arrive in, so that indexes serve them.
CREATE TABLE connections (
    id BINARY(16) NOT NULL,
    name NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- The folded name: what is unique, and the order of lists.
    name_key VARBINARY(1200) NOT NULL,
    -- The folded name once more as text: what is searched.
    search_key NVARCHAR(600) COLLATE Latin1_General_100_BIN2 NOT NULL,
    engine NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
    host NVARCHAR(253) COLLATE Latin1_General_100_BIN2 NULL,
    port INT NULL,
    database_name NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NULL,
    path NVARCHAR(1000) COLLATE Latin1_General_100_BIN2 NULL,
    username NVARCHAR(510) COLLATE Latin1_General_100_BIN2 NULL,
    -- Mode and certificates as JSON; no key.
    tls NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    -- The engine's own options as a JSON object of texts.
    options NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- A JSON object of texts: what a connection shows of its labels.
    labels NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
    notes NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    -- The name of a secret in a secrets manager.
    secret NVARCHAR(1024) COLLATE Latin1_General_100_BIN2 NULL,
    -- Which key has sealed the record's data key; then the data key, sealed, and what is sealed with it.
    key_name NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
    data_key VARBINARY(MAX) NULL,
    sealed_password VARBINARY(MAX) NULL,
    sealed_client_key VARBINARY(MAX) NULL,
    version BIGINT NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL,
    updated_at DATETIMEOFFSET(6) NOT NULL,
    CONSTRAINT connections_pk PRIMARY KEY (id),
    CONSTRAINT connections_name_key_unique UNIQUE (name_key),
    CONSTRAINT connections_port_valid CHECK (port BETWEEN 1 AND 65535),
    CONSTRAINT connections_sealed_whole CHECK (
        (key_name IS NULL AND data_key IS NULL AND sealed_password IS NULL AND sealed_client_key IS NULL)
        OR (key_name IS NOT NULL AND data_key IS NOT NULL)
    ),
    CONSTRAINT connections_version_positive CHECK (version >= 1)
);

CREATE INDEX connections_by_engine ON connections (engine, name_key, id);
CREATE INDEX connections_by_created_at ON connections (created_at, id);
CREATE INDEX connections_by_updated_at ON connections (updated_at, id);
CREATE INDEX connections_by_key_name ON connections (key_name, id);

-- One row a label, to find connections by label.
CREATE TABLE connection_labels (
    connection_id BINARY(16) NOT NULL,
    label_key NVARCHAR(63) COLLATE Latin1_General_100_BIN2 NOT NULL,
    label_value VARBINARY(800) NOT NULL,
    CONSTRAINT connection_labels_pk PRIMARY KEY (connection_id, label_key),
    CONSTRAINT connection_labels_connection_fk FOREIGN KEY (connection_id) REFERENCES connections (id) ON DELETE CASCADE
);

CREATE INDEX connection_labels_by_label ON connection_labels (label_key, label_value, connection_id);
