DROP TABLE user_receipts;
