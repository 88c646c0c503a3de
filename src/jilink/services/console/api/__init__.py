"""The console's nouns for programs: one router a noun, strung together in `routers`."""

from jilink.services.console.api import (
    alarm_rules,
    areas,
    assets,
    case_talk,
    case_types,
    cases,
    exports,
    interactions,
    knowledge,
    organisations,
    people,
    reports,
    tokens,
    webhooks,
)

routers = (
    organisations.router,
    tokens.router,
    people.router,
    cases.router,
    case_talk.router,
    case_types.router,
    interactions.router,
    knowledge.router,
    areas.router,
    assets.router,
    alarm_rules.router,
    webhooks.router,
    exports.router,
    reports.router,
)
