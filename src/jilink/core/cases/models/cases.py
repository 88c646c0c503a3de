"""Tables of cases. Structured parts are JSON text that only `rules` reads; every unique promise is a constraint."""

from django.db import models
from django.db.models import Q

from jilink.core.cases.rules.workflow import LinkKind, RequestKind, RequestState, State

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"
_OPEN = Q(state=State.OPEN.value)


class WorkCalendar(models.Model):
    """A working calendar of an organisation and all below it; the nearest above counts."""

    SEEN_BY = ()  # whoever works below counts by it, and it tells of nobody

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    data = models.TextField()
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "key"], name="one_calendar_of_a_key")]

    def __str__(self) -> str:
        return self.key


class CaseType(models.Model):
    """One version of a case type. Once published its definition never changes; one version of a key is in use."""

    SEEN_BY = ()  # units elsewhere work on cases of the type, and it tells of nobody; its own reads ask the door

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    definition = models.TextField()
    state = models.CharField(max_length=10, choices=[(word, word) for word in ("draft", "published", "retired")])
    edited_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key", "version"], name="one_version_of_a_case_type"),
            models.UniqueConstraint(fields=["organisation", "key"], condition=Q(state="published"), name="one_case_type_in_use"),
            models.UniqueConstraint(fields=["organisation", "key"], condition=Q(state="draft"), name="one_draft_of_a_case_type"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.version}"


class NumberKey(models.Model):
    """The secret of the permutation that makes numbers of serials; one row, made once, never changed."""

    key = models.BinaryField()

    def __str__(self) -> str:
        return "key of numbers"


class NumberSerial(models.Model):
    """The counter behind numbers: its rows are serials that were given out. Nobody waits for another here."""

    issued_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class Case(models.Model):
    """Something somebody answers for. `organisation` answers for it to the citizen, `unit` has it now; both may see it."""

    SEEN_BY = ("organisation", "unit")

    number = models.CharField(max_length=10, unique=True)
    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("parties.Team", on_delete=models.PROTECT, null=True, related_name="+")
    assignee = models.ForeignKey(_USER, on_delete=models.SET_NULL, null=True, related_name="+")
    type = models.ForeignKey(CaseType, on_delete=models.PROTECT, related_name="+")
    type_key = models.CharField(max_length=40)
    stage = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in State])
    round = models.PositiveIntegerField(default=1)
    returns = models.PositiveIntegerField(default=0)
    final = models.BooleanField(default=False)
    doers = models.TextField(default="[]")
    suspended_at = models.DateTimeField(null=True)
    priority = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    answers = models.TextField(default="{}")
    channel = models.CharField(max_length=20)
    interaction = models.BigIntegerField(null=True)
    person = models.BigIntegerField(null=True)
    asset = models.ForeignKey("assets.Asset", on_delete=models.SET_NULL, null=True, related_name="+")
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    accuracy_m = models.FloatField(null=True)
    address = models.CharField(max_length=200, blank=True, default="")
    area = models.CharField(max_length=160, blank=True, default="", db_index=True)
    """Path of the smallest area it lies in, as the room of areas has it: ``/22/2201/220102/``."""
    opened_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    """The nearest due time of its running clocks; empty while they stand."""
    closing_code = models.CharField(max_length=40, blank=True, default="")
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged")
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state=State.MERGED.value, merged_into__isnull=False) | (~Q(state=State.MERGED.value) & Q(merged_into=None)),
                name="a_merged_case_names_the_other",
            ),
            models.CheckConstraint(
                condition=Q(state=State.CLOSED.value, closed_at__isnull=False) | ~Q(state=State.CLOSED.value),
                name="a_closed_case_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-id"], name="case_of_organisation"),
            models.Index(fields=["unit", "-id"], name="case_of_unit"),
            models.Index(fields=["organisation", "due_at", "id"], condition=_OPEN, name="open_case_of_organisation"),
            models.Index(fields=["unit", "due_at", "id"], condition=_OPEN, name="open_case_of_unit"),
            models.Index(fields=["due_at", "id"], condition=_OPEN, name="open_case_by_due"),
            models.Index(fields=["-priority", "-id"], condition=_OPEN, name="open_case_by_priority"),
            models.Index(
                fields=["type_key", "latitude", "longitude"],
                condition=Q(state=State.OPEN.value, latitude__isnull=False),
                name="open_case_by_place",
            ),
            models.Index(fields=["due_at", "id"], name="case_by_due"),
            models.Index(fields=["-priority", "-id"], name="case_by_priority"),
            models.Index(fields=["-updated_at", "-id"], name="case_by_change"),
            models.Index(fields=["team", "-id"], condition=Q(team__isnull=False), name="case_of_team"),
            models.Index(fields=["assignee", "-id"], condition=Q(assignee__isnull=False), name="case_of_assignee"),
            models.Index(fields=["person", "-id"], condition=Q(person__isnull=False), name="case_of_person"),
            models.Index(fields=["asset", "-id"], condition=Q(asset__isnull=False), name="case_of_asset"),
            models.Index(fields=["interaction"], condition=Q(interaction__isnull=False), name="case_of_interaction"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="case_by_closing"),
            models.Index(fields=["opened_at"], name="case_by_opening"),
        ]

    def __str__(self) -> str:
        return self.number


class Clock(models.Model):
    """One clock of a case, kept for ever as it ran. `generation` grows with each change of its due time, so that old bells are known."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="clocks")
    key = models.CharField(max_length=40)
    round = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    amount = models.PositiveIntegerField()
    extended_by = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    generation = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "key"], condition=Q(ended_at=None), name="one_running_clock_of_a_key"),
            models.CheckConstraint(condition=Q(due_at__isnull=False) | Q(paused_at__isnull=False), name="a_running_clock_is_due"),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(ended_at=None), name="running_clock_by_due")]

    def __str__(self) -> str:
        return f"{self.key} of case {self.case_id}"


class ClockPause(models.Model):
    """From when to when a clock stood."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="pauses")
    paused_at = models.DateTimeField()
    resumed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clock"], condition=Q(resumed_at=None), name="one_open_pause_of_a_clock")]

    def __str__(self) -> str:
        return f"pause of clock {self.clock_id}"


class Escalation(models.Model):
    """A rung that was answered, once for each generation of its clock."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="escalations")
    rung = models.CharField(max_length=40)
    generation = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clock", "rung", "generation"], name="a_rung_once")]

    def __str__(self) -> str:
        return f"{self.rung} of clock {self.clock_id}"


class Entry(models.Model):
    """One line of the timeline: who did what, when. Lines are only ever added."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    actor = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    detail = models.TextField()
    public = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["case", "id"], name="timeline_of_case")]

    def __str__(self) -> str:
        return f"{self.kind} of case {self.case_id}"


class Note(models.Model):
    """Words for colleagues."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")
    text = models.TextField()
    actor = models.CharField(max_length=60)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"note {self.pk}"


class Reply(models.Model):
    """Words for somebody outside: to whom, by which channel, and what became of them."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="replies")
    person = models.BigIntegerField(null=True)
    recipient = models.CharField(max_length=120)
    """The name that the button showed."""
    channel = models.CharField(max_length=20)
    address = models.CharField(max_length=120, blank=True, default="")
    text = models.TextField()
    actor = models.CharField(max_length=60)
    at = models.DateTimeField()
    state = models.CharField(max_length=10, default="waiting")
    carried_until = models.DateTimeField(null=True)
    """Until then one of those who carry its channel away has it."""
    settled_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True, default="")
    """A program's own words, or words that a translator knows, into which `failure_values` go (JSON)."""
    failure_values = models.TextField(default="{}")

    def __str__(self) -> str:
        return f"reply {self.pk}"


class Link(models.Model):
    """One case has to do with another, or with a thing: exactly one of the two."""

    SEEN_THROUGH = ("case", "other")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="links")
    kind = models.CharField(max_length=20, choices=[*((kind.value, kind.value) for kind in LinkKind), ("about_asset", "about_asset")])
    other = models.ForeignKey(Case, on_delete=models.CASCADE, null=True, related_name="linked_from")
    asset = models.ForeignKey("assets.Asset", on_delete=models.CASCADE, null=True, related_name="+")
    actor = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "kind", "other"], condition=Q(asset=None), name="one_link_of_a_kind"),
            models.UniqueConstraint(fields=["case", "asset"], condition=Q(other=None), name="one_link_to_an_asset"),
            models.CheckConstraint(
                condition=Q(other__isnull=False, asset=None) | Q(other=None, asset__isnull=False, kind="about_asset"),
                name="a_link_has_one_end",
            ),
            models.CheckConstraint(condition=~Q(case=models.F("other")), name="no_link_to_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_id}"


class Attachment(models.Model):
    """A file of a case. `question` names the photo question it answers, "" for one added later."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="attachments")
    file = models.ForeignKey("files.File", on_delete=models.PROTECT, related_name="+")
    question = models.CharField(max_length=40, blank=True, default="")
    public = models.BooleanField(default=False)
    actor = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "file"], name="a_file_once_in_a_case")]

    def __str__(self) -> str:
        return f"file {self.file_id} of case {self.case_id}"


class Request(models.Model):
    """What a unit asked for, why, and who decided how."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="requests")
    round = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in RequestKind])
    state = models.CharField(max_length=12, choices=[(state.value, state.value) for state in RequestState])
    reason = models.TextField()
    amount = models.PositiveIntegerField(default=0)
    """Of an extension: units of the clock of work."""
    until = models.DateTimeField(null=True)
    """Of a suspension."""
    asked_by = models.CharField(max_length=60)
    asked_by_user = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=60, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decision = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "kind"], condition=Q(state=RequestState.ASKED.value), name="one_open_request_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of case {self.case_id}"


class Rating(models.Model):
    """How whoever was served found it: once a round. A bad one must be called back."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="ratings")
    round = models.PositiveIntegerField()
    level = models.PositiveSmallIntegerField()
    answers = models.TextField(default="{}")
    comment = models.TextField(blank=True, default="")
    channel = models.CharField(max_length=20)
    at = models.DateTimeField()
    called_back_at = models.DateTimeField(null=True)
    called_back_by = models.CharField(max_length=60, blank=True, default="")
    outcome = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "round"], name="one_rating_a_round"),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=5), name="five_levels"),
        ]

    def __str__(self) -> str:
        return f"rating of case {self.case_id}"


class BulkRun(models.Model):
    """What was done to many cases at once and what was refused why, with what undoes it for ten seconds. Only its doer reads it."""

    user = models.BigIntegerField()
    what = models.CharField(max_length=20)
    undo = models.TextField()
    done = models.TextField(default="[]")
    refused = models.TextField(default="{}")
    at = models.DateTimeField(db_index=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.what} {self.pk}"
