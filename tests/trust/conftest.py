"""Fixtures of the trust tests: those of the services."""

from tests.services.conftest import lasting_world, module_server, quick_passwords, site, world  # noqa: F401 -- fixtures for the tests of this folder
