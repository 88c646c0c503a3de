"""Pure decisions of the console: what a view may ask, who is still here."""
