DROP TABLE connection_audit;
