"""What happened, in the past tense, as frozen facts."""
