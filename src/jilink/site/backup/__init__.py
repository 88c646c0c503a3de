"""Saving an installation in one file, and putting it back."""
