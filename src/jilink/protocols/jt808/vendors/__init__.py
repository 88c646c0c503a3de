"""Vendor profiles: what a model of terminal does otherwise than the standard, chosen per device model.

A profile adds kinds to item tables (they are tried before the standard's) and messages. Each item is proven by a capture
(tests/captures/jt808: vendors.tsv, and the rows of the GPS51 family in standard.tsv).
"""

from jilink.protocols.jt808.vendors.aovx import AOVX
from jilink.protocols.jt808.vendors.asset import ASSET
from jilink.protocols.jt808.vendors.gps51 import GPS51
from jilink.protocols.jt808.vendors.inner_list import INNER_LIST
from jilink.protocols.jt808.vendors.jimi import JIMI
from jilink.protocols.jt808.vendors.lock import LOCK
from jilink.protocols.jt808.vendors.obd import OBD
from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.jt808.vendors.standby import STANDBY

STANDARD = Profile("standard", "As the standard says")

PROFILES = {profile.name: profile for profile in (STANDARD, GPS51, INNER_LIST, ASSET, AOVX, JIMI, LOCK, OBD, STANDBY)}
"""Every profile by its name."""

__all__ = ["PROFILES", "Profile"]
