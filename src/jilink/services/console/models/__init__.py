"""What only the screens of the console keep: saved views, drafts, who looks at what, and what members were told."""

from django.db import models
from django.db.models import Q

from jilink.services.console.rules.notices import CHOSEN, Kind, Way

_USER = "parties.User"


class SavedView(models.Model):
    """A filtered list under a name, of one person or of one team."""

    SEEN_BY = ()
    """No wall: a view is an address, and whoever opens it sees what their own walls let through."""

    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000)
    """The query of the inbox's address, in its canonical form."""
    owner = models.ForeignKey(_USER, on_delete=models.CASCADE, null=True, related_name="+")
    team = models.ForeignKey("parties.Team", on_delete=models.CASCADE, null=True, related_name="+")
    made_by = models.BigIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(owner__isnull=False, team=None) | Q(owner=None, team__isnull=False), name="a_view_of_a_person_or_a_team"
            ),
            models.UniqueConstraint(fields=["owner", "name"], condition=Q(team=None), name="one_view_of_a_name_for_a_person"),
            models.UniqueConstraint(fields=["team", "name"], condition=Q(owner=None), name="one_view_of_a_name_for_a_team"),
        ]

    def __str__(self) -> str:
        return self.name


class Draft(models.Model):
    """What somebody has typed and not sent yet, at one place. Only they read it."""

    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=80)
    text = models.TextField()
    saved_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "place"], name="one_draft_at_a_place")]

    def __str__(self) -> str:
        return f"draft {self.pk}"


class Looking(models.Model):
    """An open page of a case: it counts while its heartbeat is fresh. Two pages of one person are two rows."""

    case = models.BigIntegerField(db_index=True)
    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=40)
    """Chosen at random by the page."""
    edits = models.BooleanField(default=False)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "case", "page"], name="one_heart_of_a_page")]

    def __str__(self) -> str:
        return f"page on case {self.case}"


class Notice(models.Model):
    """Something that one member is told of a case. Only they read it; what of the case they see, their own walls decide."""

    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in Kind])
    case = models.BigIntegerField()
    by = models.BigIntegerField(null=True)
    count = models.PositiveIntegerField(default=1)
    """How many cases it tells of; `case` is the last of them."""
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailing_until = models.DateTimeField(null=True)
    """Until then one of those who send letters has it."""
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_of_user"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="unread_notice_of_user"),
            models.Index(fields=["at"], name="notice_by_time"),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk}"


class NoticeEvent(models.Model):
    """An event that a member was told of, and by which notice: the same event twice tells once. It goes with its notice."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="events")
    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    event = models.UUIDField()
    case = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "event"], name="an_event_tells_a_member_once")]

    def __str__(self) -> str:
        return f"event of notice {self.notice_id}"


class NoticeWish(models.Model):
    """How a member wants to hear of one kind of things; where there is none, as is usual for the kind."""

    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in CHOSEN])
    way = models.CharField(max_length=6, choices=[(way.value, way.value) for way in Way])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="one_wish_of_a_kind")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.way}"


class Letterbox(models.Model):
    """Where a member wants letters about unread notices; they said so themselves."""

    user = models.OneToOneField(_USER, on_delete=models.CASCADE, related_name="+")
    address = models.EmailField(max_length=200)
    language = models.CharField(max_length=12)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"letterbox of {self.user_id}"
