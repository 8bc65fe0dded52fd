-- Text is under BINARY, SQLite's default: order and equality are those of code points.
CREATE TABLE users (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- The folded name, cut to 200 characters: the order of lists.
    name_sort TEXT NOT NULL,
    email TEXT NOT NULL,
    -- The folded address: what is unique.
    email_key TEXT NOT NULL,
    -- Folded name and address: what is searched.
    search_key TEXT NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT users_pk PRIMARY KEY (id),
    CONSTRAINT users_email_key_unique UNIQUE (email_key),
    CONSTRAINT users_status_known CHECK (status IN ('active', 'suspended')),
    CONSTRAINT users_version_positive CHECK (version >= 1)
);

CREATE INDEX users_by_name ON users (name_sort, id);
CREATE INDEX users_by_created_at ON users (created_at, id);
CREATE INDEX users_by_updated_at ON users (updated_at, id);
CREATE INDEX users_by_status ON users (status, created_at, id);
