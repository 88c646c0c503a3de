"""Assets of every kind: lamp posts, sensors, hotspots, and whatever else an organisation looks after."""
