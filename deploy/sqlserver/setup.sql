-- Makes the database of books and its user; run again, it changes nothing but the password.
-- The collation compares code points and stores UTF-8, so that order and uniqueness are those of the other engines.
IF DB_ID(N'books') IS NULL
    CREATE DATABASE books COLLATE Latin1_General_100_BIN2_UTF8;
GO
-- Readers do not wait for writers, as on the other engines.
ALTER DATABASE books SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE;
GO
IF SUSER_ID(N'bindery_books') IS NULL
    CREATE LOGIN bindery_books WITH PASSWORD = N'$(BOOKS_PASSWORD)', CHECK_POLICY = OFF;
ELSE
    ALTER LOGIN bindery_books WITH PASSWORD = N'$(BOOKS_PASSWORD)';
GO
USE books;
GO
IF USER_ID(N'bindery_books') IS NULL
    CREATE USER bindery_books FOR LOGIN bindery_books;
ALTER ROLE db_owner ADD MEMBER bindery_books;
GO
