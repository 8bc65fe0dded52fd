-- Keys are UTF-8 in VARBINARY, whose bytes sort as code points do: NVARCHAR compares UTF-16 code units and ignores
-- blanks at the end. Ids are BINARY(16), because UNIQUEIDENTIFIER sorts by its last bytes first. Columns that hold
-- ASCII and are compared with parameters are NVARCHAR, the type that parameters arrive in, so that indexes serve them.
CREATE TABLE books (
    id BINARY(16) NOT NULL,
    title NVARCHAR(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- The folded title, cut to 200 characters: the order of lists.
    title_sort VARBINARY(800) NOT NULL,
    -- The names as a JSON array, in order: what a book shows of its authors.
    authors NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
    -- Folded title, authors and ISBN: what is searched.
    search_key NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
    isbn NVARCHAR(13) COLLATE Latin1_General_100_BIN2 NOT NULL,
    published_on DATE NULL,
    pages INT NULL,
    language NVARCHAR(35) COLLATE Latin1_General_100_BIN2 NULL,
    -- In the currency's smallest unit.
    price_minor BIGINT NULL,
    currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL,
    description NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
    version BIGINT NOT NULL,
    created_at DATETIMEOFFSET(6) NOT NULL,
    updated_at DATETIMEOFFSET(6) NOT NULL,
    CONSTRAINT books_pk PRIMARY KEY (id),
    CONSTRAINT books_isbn_unique UNIQUE (isbn),
    CONSTRAINT books_price_whole CHECK (
        (price_minor IS NULL AND currency IS NULL) OR (price_minor IS NOT NULL AND currency IS NOT NULL)
    ),
    CONSTRAINT books_version_positive CHECK (version >= 1)
);

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
    name_key VARBINARY(1600) NOT NULL,
    CONSTRAINT book_authors_pk PRIMARY KEY (book_id, position),
    CONSTRAINT book_authors_book_fk FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE CASCADE
);

CREATE INDEX book_authors_by_name ON book_authors (name_key, book_id);
