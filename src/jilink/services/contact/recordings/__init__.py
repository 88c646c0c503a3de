"""The sound of recordings: as it is played, and as it lies sealed in the data folder."""
