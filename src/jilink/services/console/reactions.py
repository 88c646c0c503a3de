"""Handlers of events; running twice changes nothing. The console's live stream reads the spine itself."""
