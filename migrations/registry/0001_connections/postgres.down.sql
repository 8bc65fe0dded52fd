DROP TABLE connection_labels;
DROP TABLE connections;
