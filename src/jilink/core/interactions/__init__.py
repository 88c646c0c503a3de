"""Interactions: one contact of one person on one channel, with what was said and how it ended."""
