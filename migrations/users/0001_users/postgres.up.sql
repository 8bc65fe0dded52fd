-- Text is under the collation "C": order and equality are those of code points, whatever the database's own.
CREATE TABLE users (
    id UUID NOT NULL,
    name VARCHAR(200) COLLATE "C" NOT NULL,
    -- The folded name, cut to 200 characters: the order of lists.
    name_sort VARCHAR(200) COLLATE "C" NOT NULL,
    email VARCHAR(254) COLLATE "C" NOT NULL,
    -- The folded address: what is unique.
    email_key VARCHAR(254) COLLATE "C" NOT NULL,
    -- Folded name and address: what is searched.
    search_key TEXT COLLATE "C" NOT NULL,
    status VARCHAR(16) COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ(6) NOT NULL,
    updated_at TIMESTAMPTZ(6) NOT NULL,
    CONSTRAINT users_pk PRIMARY KEY (id),
    CONSTRAINT users_email_key_unique UNIQUE (email_key),
    CONSTRAINT users_status_known CHECK (status IN ('active', 'suspended')),
    CONSTRAINT users_version_positive CHECK (version >= 1)
);

CREATE INDEX users_by_name ON users (name_sort, id);
CREATE INDEX users_by_created_at ON users (created_at, id);
CREATE INDEX users_by_updated_at ON users (updated_at, id);
CREATE INDEX users_by_status ON users (status, created_at, id);
