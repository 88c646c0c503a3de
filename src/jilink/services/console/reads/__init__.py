"""Every query about what the console itself keeps: saved views, drafts, presence."""
