DROP TABLE connection_receipts;
