"""The only writers: one call, one transaction."""
