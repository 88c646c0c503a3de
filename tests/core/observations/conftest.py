"""The scene of the watch, for the tests of this folder."""

from tests.core.test_watch import scene  # noqa: F401 -- a fixture
