"""Pages: parse, one action or read, render. Each module ends with its `patterns`."""
