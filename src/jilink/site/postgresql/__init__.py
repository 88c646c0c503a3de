"""Django's PostgreSQL backend, which also tells the database whose rows are in scope."""
