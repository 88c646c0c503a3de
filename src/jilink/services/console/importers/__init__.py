"""How rows of the core's nouns are taken in: one module a noun, each registering it with `core.imports`."""

from jilink.services.console.importers import articles, assets, cases, people, responsibilities

__all__ = ["articles", "assets", "cases", "people", "responsibilities"]
