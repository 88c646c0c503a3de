"""What the description of the API promises, asked of every operation with data that fits and data that does not.

`JILINK_SCHEMA_EXAMPLES=200 pytest tests/services/console/test_api_schema.py` asks each operation so often, with other data each time.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.conf import settings as site
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as bounds
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig

from jilink.core.parties.rules import Role
from jilink.site.api import api
from tests.core import world as worlds
from tests.services.console.programs import token_of

pytestmark = [pytest.mark.once, pytest.mark.django_db]

EXAMPLES = int(os.environ.get("JILINK_SCHEMA_EXAMPLES", "0"))
RULES_SAY_NO = ["2xx", "304", "401", "403", "404", "409", "412", "413", "422", "503"]
"""What may become of data that fits: a rule, a wall or what is down refuses it, but its form never."""
DESCRIPTION = json.loads(json.dumps(api.get_openapi_schema(), default=str))
load_all_checks()


@schemathesis.serializer("application/offset+octet-stream")
def _bytes(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


schema = schemathesis.openapi.from_dict(
    DESCRIPTION,
    config=SchemathesisConfig.from_dict(
        {
            "checks": {
                "positive_data_acceptance": {"expected-statuses": RULES_SAY_NO},
                "missing_required_header": {"expected-statuses": [422]},
                "negative_data_rejection": {"expected-statuses": ["400", "404", "406", "409", "412", "413", "415", "422", "428"]},
            }
        }
    ),
)
schema.app = get_wsgi_application()


@pytest.fixture(scope="module")
def token(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A token in a world made once, while the end of a request closes no connection: the module's transaction goes on."""
    folder = Path(tmp_path_factory.mktemp("data"))
    lifted = replace(site.JILINK, api_per_minute=0, api_strangers_per_minute=0, data=folder)
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    with override_settings(JILINK=lifted, PASSWORD_HASHERS=hashers), django_db_blocker.unblock(), transaction.atomic():
        world = worlds.build()
        yield token_of(world, Role.OWNER, world.north)
        transaction.set_rollback(True)
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


def test_the_description_is_openapi() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(DESCRIPTION).iter_errors()] == []


@schema.parametrize()
@bounds(max_examples=EXAMPLES or 3, derandomize=not EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_what_the_description_promises(case: Case, token: str) -> None:
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
        transaction.set_rollback(True)
