"""Tables of what the console itself keeps: saved views, drafts, presence."""
