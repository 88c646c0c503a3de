"""What happened to organisations, for those who react."""

from jilink.spine.events import Event


class AdmissionPolicyChanged(Event, frozen=True, kw_only=True, noun="parties"):
    """An organisation began or ceased to let unknown terminals wait for admission."""
