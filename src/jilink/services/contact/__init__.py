"""Contact: what it promises stands in README.md."""
