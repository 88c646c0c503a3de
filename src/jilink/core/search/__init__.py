"""Full-text search for the nouns of the core: any piece of any word, ranked by words."""
