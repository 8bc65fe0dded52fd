DROP TABLE connection_snapshots;
