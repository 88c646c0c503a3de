"""The same for programs."""

from ninja import Router

router = Router(tags=["contact"])
