"""Every query that pages, programs, reactions and the router may ask."""
