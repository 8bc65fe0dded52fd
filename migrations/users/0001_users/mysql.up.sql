-- Text is utf8mb4 under a binary collation: order and equality are those of code points, on MySQL and MariaDB alike.
CREATE TABLE users (
    id BINARY(16) NOT NULL,
    name VARCHAR(200) NOT NULL,
    -- The folded name, cut to 200 characters: the order of lists.
    name_sort VARCHAR(200) NOT NULL,
    email VARCHAR(254) NOT NULL,
    -- The folded address: what is unique.
    email_key VARCHAR(254) NOT NULL,
    -- Folded name and address: what is searched.
    search_key TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    version BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT users_pk PRIMARY KEY (id),
    CONSTRAINT users_email_key_unique UNIQUE (email_key),
    CONSTRAINT users_status_known CHECK (status IN ('active', 'suspended')),
    CONSTRAINT users_version_positive CHECK (version >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX users_by_name ON users (name_sort, id);
CREATE INDEX users_by_created_at ON users (created_at, id);
CREATE INDEX users_by_updated_at ON users (updated_at, id);
CREATE INDEX users_by_status ON users (status, created_at, id);
