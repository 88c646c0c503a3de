"""Every query that pages, API and reactions may ask."""
