"""What flows decide without a database, a clock or a wire."""
