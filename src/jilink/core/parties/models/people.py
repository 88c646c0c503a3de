"""The people that an organisation serves. They are no accounts: who signs in is a `User`."""

from django.db import models

from jilink.core.parties.models.organisations import Organisation, User
from jilink.core.parties.people.rules import ContactKind


class Person(models.Model):
    """Somebody an organisation serves. One that was merged or erased keeps its number, so that old links still lead somewhere."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120, blank=True, default="")
    other_names = models.CharField(max_length=400, blank=True, default="")
    """Further names and spellings, one a line."""
    languages = models.CharField(max_length=60, blank=True, default="")
    """Language tags (BCP 47), the preferred one first, commas between them."""
    notes = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    erased_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "name"], name="person_by_name"),
            models.Index(fields=["organisation", "-id"], name="person_by_age"),
        ]

    def __str__(self) -> str:
        return f"person {self.pk}"


class ContactPoint(models.Model):
    """One way to reach a person. `value` is in the one form of its kind: E.164 for telephones, small letters for mail."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="contacts")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in ContactKind])
    value = models.CharField(max_length=250)
    tail = models.CharField(max_length=20, blank=True, default="")
    """A telephone's digits from the last to the first, so that one is found by its end (`rules.tail`)."""
    preferred = models.BooleanField(default=False)
    added_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "value"], name="contact_once_a_person")]
        indexes = [
            models.Index(fields=["organisation", "kind", "value"], name="contact_by_value"),
            models.Index(fields=["organisation", "tail"], condition=~models.Q(tail=""), name="contact_by_tail"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} of person {self.person_id}"


class Identity(models.Model):
    """A resident identity number, readable only with the installation's keys (`people.sealing`)."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="identity")
    key = models.CharField(max_length=20, db_index=True)
    sealed = models.BinaryField()
    lookup = models.CharField(max_length=64)
    """A keyed hash of the number, by which its double is found."""
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "lookup"], name="identity_once_an_organisation")]

    def __str__(self) -> str:
        return f"identity of person {self.person_id}"


class Consent(models.Model):
    """That a person agreed to a purpose, how that is known, and until when. It is ended, never changed."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=60)
    evidence = models.CharField(max_length=400)
    given_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    recorded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["person", "purpose"], name="consent_by_purpose")]

    def __str__(self) -> str:
        return f"{self.purpose} of person {self.person_id}"


class Merge(models.Model):
    """That two rows were found to be one person, with every row that moved, so that it can be undone."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kept = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    merged = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    moved = models.TextField()
    """JSON of `people.rules.Moved`: by holding, the numbers of the rows."""
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merged"], condition=models.Q(undone_at=None), name="merged_once_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.kept_id}"
