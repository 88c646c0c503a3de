"""Keys that programs come in with."""

from django.db import models

from jilink.core.parties.models.organisations import Organisation, User


class Token(models.Model):
    """A key of a service account. Only its beginning and a hash of it are kept: nobody can read it again after it was made."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    """SHA-256 of the whole token; 256 random bits need no slow hash."""
    permissions = models.TextField()
    """Names of permissions, one a line: what it may do at most."""
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="token_expiry")]

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"
