"""Handlers of events; running twice changes nothing."""
