"""Tables and constraints of the contact service; no behaviour."""
