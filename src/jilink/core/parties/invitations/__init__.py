"""Invitations: the one way in which an account is made that nobody else knows the password of."""
