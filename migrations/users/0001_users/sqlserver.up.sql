-- Keys are UTF-8 in VARBINARY, whose bytes sort as code points do: NVARCHAR compares UTF-16 code units and ignores
-- blanks at the end. Ids are BINARY(16), because UNIQUEIDENTIFIER sorts by its last bytes first.
CREATE TABLE users (
    id BINARY(16) NOT NULL,
    name NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- The folded name, cut to 200 characters: the order of lists.
    name_sort VARBINARY(800) NOT NULL,
    email NVARCHAR(508) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- The folded address: what is unique.
    email_key VARBINARY(1016) NOT NULL,
    -- Folded name and address: what is searched.
    search_key NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
    status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
    version BIGINT NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL,
    updated_at DATETIMEOFFSET(6) NOT NULL,
    CONSTRAINT users_pk PRIMARY KEY (id),
    CONSTRAINT users_email_key_unique UNIQUE (email_key),
    CONSTRAINT users_status_known CHECK (status IN (N'active', N'suspended')),
    CONSTRAINT users_version_positive CHECK (version >= 1)
);

CREATE INDEX users_by_name ON users (name_sort, id);
CREATE INDEX users_by_created_at ON users (created_at, id);
CREATE INDEX users_by_updated_at ON users (updated_at, id);
CREATE INDEX users_by_status ON users (status, created_at, id);
