"""Links by which people come to an account of their own."""

from django.db import models

from jilink.core.parties.models.organisations import Organisation, Team, User
from jilink.core.parties.rules import Role, Scope


class Invitation(models.Model):
    """That somebody may become a member, once, by a link of which only a hash is kept."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    scope = models.CharField(max_length=20, choices=[(scope.value, scope.value) for scope in Scope])
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="invitation_expiry")]

    def __str__(self) -> str:
        return f"invitation {self.pk}"
