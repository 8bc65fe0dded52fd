-- Text is under the collation "C": order and equality are those of code points, whatever the database's own.
CREATE TABLE books (
    id UUID NOT NULL,
    title VARCHAR(500) COLLATE "C" NOT NULL,
    -- The folded title, cut to 200 characters: the order of lists.
    title_sort VARCHAR(200) COLLATE "C" NOT NULL,
    -- The names as a JSON array, in order: what a book shows of its authors.
    authors TEXT COLLATE "C" NOT NULL,
    -- Folded title, authors and ISBN: what is searched.
    search_key TEXT COLLATE "C" NOT NULL,
    isbn VARCHAR(13) COLLATE "C" NOT NULL,
    published_on DATE NULL,
    pages INTEGER NULL,
    language VARCHAR(35) COLLATE "C" NULL,
    -- In the currency's smallest unit.
    price_minor BIGINT NULL,
    currency VARCHAR(3) COLLATE "C" NULL,
    description TEXT COLLATE "C" NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ(6) NOT NULL,
    updated_at TIMESTAMPTZ(6) NOT NULL,
    CONSTRAINT books_pk PRIMARY KEY (id),
    CONSTRAINT books_isbn_unique UNIQUE (isbn),
    CONSTRAINT books_price_whole CHECK ((price_minor IS NULL) = (currency IS NULL)),
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
    book_id UUID NOT NULL,
    position SMALLINT NOT NULL,
    name_key VARCHAR(600) COLLATE "C" NOT NULL,
    CONSTRAINT book_authors_pk PRIMARY KEY (book_id, position),
    CONSTRAINT book_authors_book_fk FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE CASCADE
);

CREATE INDEX book_authors_by_name ON book_authors (name_key, book_id);
