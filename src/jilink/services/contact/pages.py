"""Pages: parse, one action or read, render."""
