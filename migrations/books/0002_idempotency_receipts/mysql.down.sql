DROP TABLE book_receipts;
