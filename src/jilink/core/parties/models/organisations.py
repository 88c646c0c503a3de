"""Tables of organisations, of those who sign in, and of what they are there."""

from collections.abc import Iterator
from hashlib import sha256

from django.contrib.auth.models import AbstractUser
from django.db import models

from jilink.core.parties import walls
from jilink.core.parties.rules import Role, Scope, permissions_of


class Organisation(models.Model):
    """A wall. `path` holds the ids from the root down to this one (``/1/5/``), so that a subtree is one prefix."""

    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=120)
    path = models.CharField(max_length=400, db_index=True, editable=False, default="")
    quarantine_unknown = models.BooleanField(default=False)
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    """Days that positions are kept (0: for ever); null: as the organisation above says, at the top as the installation says."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], name="one_name_under_a_parent"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(parent=None), name="one_name_at_the_top"),
        ]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in. What they may do comes from their memberships, never from Django's own permissions."""

    language = models.CharField(max_length=12, blank=True, default="")
    service_of = models.ForeignKey(Organisation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    """Set for an account of a program: it has no password and comes in by tokens alone (`models.tokens`)."""
    session_round = models.PositiveIntegerField(default=0)
    """Grows where every session must end (`sessions`); each session carries a hash of what it began with."""

    def get_session_auth_hash(self) -> str:
        """Return what sessions are compared with at each request (Django, "Session invalidation on password change")."""
        return self._of_this_round(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Return the same under keys that were replaced."""
        return map(self._of_this_round, super().get_session_auth_fallback_hash())

    def _of_this_round(self, hashed: str) -> str:
        return sha256(f"{hashed} {self.session_round}".encode()).hexdigest() if self.session_round else hashed

    def has_perm(self, perm: str, obj: object | None = None) -> bool:
        """Return whether any membership grants the permission named `perm`: for showing links, never for allowing."""
        with walls.everything():
            roles = list(Member.objects.filter(user_id=self.pk).values_list("role", flat=True))
        return self.is_active and any(perm in permissions_of(role) for role in roles)

    def __str__(self) -> str:
        return self.username


class Member(models.Model):
    """One person's role in one organisation, and how far it reaches."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="members")
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    scope = models.CharField(max_length=20, choices=[(scope.value, scope.value) for scope in Scope], default=Scope.SUBTREE.value)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organisation"], name="one_role_in_an_organisation")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {self.organisation_id}"


class Team(models.Model):
    """Members of one organisation who share work; rows that carry a team are in reach of its members."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)
    """Since when it is given no new work; null while it works."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="one_team_name_in_an_organisation")]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """One person in one team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="teams")
    lead = models.BooleanField(default=False)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="once_in_a_team")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.team_id}"
