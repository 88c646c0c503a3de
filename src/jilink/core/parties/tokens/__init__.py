"""Service accounts and the tokens they come in with."""
