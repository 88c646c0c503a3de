"""Every query that pages, API and reactions may ask. Each takes who asks, and answers only inside their walls."""
