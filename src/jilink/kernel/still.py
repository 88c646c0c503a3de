"""A caller's word in an action: whether what is to be changed is still as the caller saw it."""

from collections.abc import Callable

Still = Callable[[], None] | None
"""Asked by an action once nobody else can change the thing; raises a refusal where it is not as the caller saw it. None asks nothing."""
