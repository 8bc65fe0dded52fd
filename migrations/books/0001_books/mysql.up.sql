-- Text is utf8mb4 under a binary collation: order and equality are those of code points, on MySQL and MariaDB alike.
CREATE TABLE books (
    id BINARY(16) NOT NULL,
    title VARCHAR(500) NOT NULL,
    -- The folded title, cut to 200 characters: the order of lists.
    title_sort VARCHAR(200) NOT NULL,
    -- The names as a JSON array, in order: what a book shows of its authors.
    authors TEXT NOT NULL,
    -- Folded title, authors and ISBN: what is searched.
    search_key TEXT NOT NULL,
    isbn CHAR(13) NOT NULL,
    published_on DATE NULL,
    pages INT NULL,
    language VARCHAR(35) NULL,
    -- In the currency's smallest unit.
    price_minor BIGINT NULL,
    currency CHAR(3) NULL,
    description TEXT NULL,
    version BIGINT NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT books_pk PRIMARY KEY (id),
    CONSTRAINT books_isbn_unique UNIQUE (isbn),
    CONSTRAINT books_price_whole CHECK ((price_minor IS NULL) = (currency IS NULL)),
    CONSTRAINT books_version_positive CHECK (version >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX books_by_title ON books (title_sort, id);
CREATE INDEX books_by_published_on ON books (published_on, id);
CREATE INDEX books_by_pages ON books (pages, id);
CREATE INDEX books_by_price ON books (currency, price_minor, id);
CREATE INDEX books_by_language ON books (language, created_at, id);
CREATE INDEX books_by_created_at ON books (created_at, id);
CREATE INDEX books_by_updated_at ON books (updated_at, id);

-- One row an author, to find books by author: the whole name, folded.
CREATE TABLE book_authors (
    book_id BINARY(16) NOT NULL,
    position SMALLINT NOT NULL,
    name_key VARCHAR(600) NOT NULL,
    CONSTRAINT book_authors_pk PRIMARY KEY (book_id, position),
    CONSTRAINT book_authors_book_fk FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX book_authors_by_name ON book_authors (name_key, book_id);
