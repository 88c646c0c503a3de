"""Distinct identifiers, so that one kind is never passed where another is meant."""

import os
import threading
import time
import uuid
from typing import NewType

OrganisationId = NewType("OrganisationId", int)
AreaId = NewType("AreaId", int)
ArticleId = NewType("ArticleId", int)
AssetId = NewType("AssetId", int)
MemberId = NewType("MemberId", int)
TeamId = NewType("TeamId", int)
PersonId = NewType("PersonId", int)
ContactId = NewType("ContactId", int)
ConsentId = NewType("ConsentId", int)
MergeId = NewType("MergeId", int)
InvitationId = NewType("InvitationId", int)
TokenId = NewType("TokenId", int)
EventId = NewType("EventId", str)
FileId = NewType("FileId", int)
InteractionId = NewType("InteractionId", int)
LayerId = NewType("LayerId", int)

_lock = threading.Lock()
_last = 0


def new_event_id() -> EventId:
    """Return a UUID version 7 (RFC 9562, 5.7) as 36 characters; ids of one process are strictly increasing."""
    global _last
    with _lock:
        stamp = max((time.time_ns() // 1_000_000) << 12, _last + 1)  # milliseconds, then a 12-bit counter
        _last = stamp
    tail = int.from_bytes(os.urandom(8), "big") >> 2
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | tail
    return EventId(str(uuid.UUID(int=value)))
