DROP TABLE connection_health;
