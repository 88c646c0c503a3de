"""The console: inbox, cases, people, places, knowledge and reports, for those who work with them all day."""
