"""Tables of assignment: rules by version, and what people can do."""

from django.db import models
from django.db.models import Q

_ORGANISATION = "parties.Organisation"


class AssignmentRules(models.Model):
    """One version of the ordered rules by which an organisation's cases find a unit. Once published it never changes."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    type_key = models.CharField(max_length=40, blank=True, default="")
    """Case type they are for; "" for every type that has no rules of its own."""
    version = models.PositiveIntegerField()
    data = models.TextField()
    state = models.CharField(max_length=10, choices=[(word, word) for word in ("draft", "published", "retired")])
    edited_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    published_by = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "type_key", "version"], name="one_version_of_assignment_rules"),
            models.UniqueConstraint(
                fields=["organisation", "type_key"], condition=Q(state="published"), name="one_assignment_rules_in_use"
            ),
            models.UniqueConstraint(fields=["organisation", "type_key"], condition=Q(state="draft"), name="one_draft_of_assignment_rules"),
        ]

    def __str__(self) -> str:
        return f"{self.type_key or '*'} {self.version}"


class Skill(models.Model):
    """Something a person can do in an organisation: a trade (``electric``) or a language (``lang.ko``)."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("parties.User", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "user", "key"], name="a_skill_once")]
        indexes = [models.Index(fields=["organisation", "key"], name="who_has_a_skill")]

    def __str__(self) -> str:
        return self.key
