"""Words of the contact service in templates."""
