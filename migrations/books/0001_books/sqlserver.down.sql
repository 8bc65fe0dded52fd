DROP TABLE book_authors;
DROP TABLE books;
