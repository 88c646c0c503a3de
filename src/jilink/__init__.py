"""Jilink (吉联): one platform for a region's vehicles, calls, texts, sensors and cases."""

__version__ = "0.1.0"
