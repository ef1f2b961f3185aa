//! OVSDB: schema, transactions, monitors, log file, the server engine and the client replica.
