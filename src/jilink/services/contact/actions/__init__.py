"""The only writers of the contact service: one call, one transaction."""
