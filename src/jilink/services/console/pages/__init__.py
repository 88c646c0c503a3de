"""Pages: parse, one action or read, render. One module a noun."""
