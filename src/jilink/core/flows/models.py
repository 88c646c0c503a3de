"""Tables of flows. Definitions, states and effects are JSON text that only `rules` reads; every unique promise is a constraint."""

from django.db import models
from django.db.models import Q

_ORGANISATION = "parties.Organisation"


class FlowVersion(models.Model):
    """One version of a flow. Once published neither it nor the flows it carries ever change; one version of a key is in use."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    definition = models.TextField()
    library = models.TextField(default="{}")
    """Flows that it calls, directly or through others, as they were when it was published: key to version and definition."""
    state = models.CharField(max_length=10, choices=[(word, word) for word in ("draft", "published", "retired")])
    edited_at = models.DateTimeField()
    edited_by = models.CharField(max_length=60)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key", "version"], name="one_version_of_a_flow"),
            models.UniqueConstraint(fields=["organisation", "key"], condition=Q(state="published"), name="one_flow_in_use"),
            models.UniqueConstraint(fields=["organisation", "key"], condition=Q(state="draft"), name="one_draft_of_a_flow"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.version}"


class FlowHook(models.Model):
    """An address that flows of the organisation may ask, and the secret that signs what is asked."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    url = models.CharField(max_length=500)
    secret = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "key"], name="one_flow_hook_of_a_key")]

    def __str__(self) -> str:
        return self.key


class FlowSession(models.Model):
    """One contact in a flow. `key` is its driver's name for it (the leg of a call, the conversation of texts), once and for ever."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(FlowVersion, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=120)
    channel = models.CharField(max_length=10)
    interaction = models.BigIntegerField(null=True)
    state = models.TextField()
    """"" once it is over and its time of keeping has passed."""
    effects = models.TextField()
    """What is to be done now."""
    turn = models.PositiveIntegerField()
    began_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    bell_at = models.DateTimeField(null=True)
    """When the timer that is set rings."""
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key"], name="one_flow_session_of_a_key"),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")), name="a_flow_session_ends_somehow"
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "id"], condition=Q(ended_at=None), name="running_flow_session"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="flow_session_by_end"),
            models.Index(fields=["version", "began_at"], name="flow_session_of_version"),
        ]

    def __str__(self) -> str:
        return self.key


class FlowHappening(models.Model):
    """Something that was told to a session, so that it is not taken twice."""

    session = models.ForeignKey(FlowSession, on_delete=models.CASCADE, related_name="happenings")
    identity = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "identity"], name="a_flow_happening_once")]

    def __str__(self) -> str:
        return self.identity


class FlowRun(models.Model):
    """A step that a session passed and what came of it: for statistics. `flow` is "" for the session's own."""

    session = models.ForeignKey(FlowSession, on_delete=models.CASCADE, related_name="runs")
    flow = models.CharField(max_length=40, blank=True, default="")
    step = models.CharField(max_length=40)
    outcome = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["session", "id"], name="flow_run_of_session")]

    def __str__(self) -> str:
        return f"{self.step}: {self.outcome}"
