"""Conversations as data: what is said and asked, on any channel, and where it leads."""
