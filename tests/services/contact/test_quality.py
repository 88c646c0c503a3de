"""Quality: what answers come to, what is drawn, and who may score, read, dispute and decide."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.texts import Text
from jilink.services.contact.actions import designing, quality, recordings, serving
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.models import Contact
from jilink.services.contact.reads import quality as reads
from jilink.services.contact.rules import quality as rules
from jilink.services.contact.rules.design import QueueDesign
from jilink.services.contact.rules.evaluations import EvaluationRefused
from jilink.services.contact.rules.quality import Answers, Card, CardRefused, Comment, Question, Section
from jilink.services.contact.rules.sampling import Candidate, Plan, draw, monday
from tests.core.world import NOW, World

X = Text("题", "X")
CARD = Card(
    name=X,
    sections=(
        Section(title=X, questions=(Question(key="greet", text=X), Question(key="tone", text=X, weight=3, most=5))),
        Section(title=X, questions=(Question(key="law", text=X, fatal=True, optional=False),)),
    ),
)
GOOD = Answers(points={"greet": 1, "tone": 4, "law": 1}, comments=(Comment(3.5, "kind"),))
WEEK = monday(NOW.date())


@pytest.mark.once
def test_points_are_weighed_what_does_not_apply_is_left_out_and_a_fatal_question_takes_all() -> None:
    assert rules.score(CARD, GOOD).points == 88.0  # (1 + 3 * 0.8 + 1) / 5
    assert rules.score(CARD, Answers(points={"greet": 0, "tone": None, "law": 1})).points == 50.0
    assert rules.score(CARD, Answers(points={"greet": 1, "tone": 5, "law": 0})) == rules.Score(0.0, True)
    for points in (
        {"greet": 1, "tone": 4},
        {"greet": 1, "tone": 6, "law": 1},
        {"greet": 1, "tone": 4, "law": None},
        {**GOOD.points, "x": 1},
    ):
        with pytest.raises(CardRefused):
            rules.score(CARD, Answers(points=points))
    whole = rules.deviations(CARD, [GOOD, Answers(points={"greet": 0, "tone": None, "law": 1})])
    assert whole[-1].mean == 69.0 and whole[-1].deviation == 19.0 and whole[1].values == (80.0, None)


@pytest.mark.once
@settings(max_examples=25)
@given(st.lists(st.integers(1, 300), unique=True, max_size=60), st.integers(1, 5), st.text(max_size=8))
def test_a_plan_draws_the_same_again_and_of_each_agent_no_more_than_it_says(contacts: list[int], number: int, seed: str) -> None:
    found = [Candidate(contact=one, agent=one % 3, queue=1, seconds=60, recorded=True) for one in contacts]
    plan = Plan(name=X, number=number, seed=seed)
    drawn = draw(plan, found, WEEK)
    assert drawn == draw(plan, reversed(found), WEEK) and set(drawn) <= set(contacts)
    for agent in range(3):
        theirs = [one for one in contacts if one % 3 == agent]
        assert sum(one % 3 == agent for one in drawn) == min(number, len(theirs))


def served(world: World) -> int:
    by, agent = access.system("router"), world.actor(Role.AGENT, world.north, Scope.ORGANISATION)
    queue = designing.add_queue(organisation=world.north, key="hot", design=QueueDesign(name=X), by=by, now=NOW)
    contact = serving.enqueue(arrival=Arrival(queue=queue, channel="call", node="own", leg="l"), by=by, now=NOW)
    serving.note_ringing(contact=contact, agent=agent.user or 0, agent_leg="a", by=by, now=NOW)
    serving.note_answered(contact=contact, by=by, now=NOW)
    Contact.objects.filter(pk=contact).update(left_at=NOW + timedelta(seconds=90))
    return contact


def test_a_drawn_call_is_scored_disputed_and_decided_by_somebody_else(world: World) -> None:
    boss, other = world.actor(Role.SUPERVISOR, world.north), world.actor(Role.SUPERVISOR, world.north, also="b")
    agent, contact = world.actor(Role.AGENT, world.north, Scope.ORGANISATION), served(world)
    card = quality.add_card(organisation=world.north, key="calls", card=CARD, by=boss, now=NOW)
    with pytest.raises(NotFound):
        quality.evaluate(contact=contact, card=card, answers=GOOD, coaching="", by=boss, now=NOW)  # nothing is published
    quality.publish_card(card=card, by=boss, now=NOW)
    plan = quality.add_plan(card=card, plan=Plan(name=X, number=2, recorded=False, rated_at_most=2), by=boss, now=NOW)
    assert quality.draw(plan=plan, week=NOW.date(), by=boss, now=NOW) == 0
    recordings.note_satisfaction(node="own", leg="l", rating=2, source="keypad", by=access.system("router"), now=NOW)
    assert (
        quality.draw(plan=plan, week=NOW.date(), by=boss, now=NOW) == 1 and quality.draw(plan=plan, week=NOW.date(), by=boss, now=NOW) == 0
    )
    assert [(one.contact, one.rating) for one in reads.to_score(boss)] == [(contact, 2)] and reads.to_score(agent) == []
    number = quality.evaluate(contact=contact, card=card, answers=GOOD, coaching="well done", by=boss, now=NOW)
    assert reads.to_score(boss) == []
    with pytest.raises(EvaluationRefused, match="already"):
        quality.evaluate(contact=contact, card=card, answers=GOOD, coaching="", by=other, now=NOW)
    quality.save_card(card=card, design=Card(name=X), based_on=1, by=boss, now=NOW)
    assert reads.mine(agent)[0].card == CARD  # the version stays
    quality.dispute(evaluation=number, reason="the tone was fine", by=agent, now=NOW)
    with pytest.raises(EvaluationRefused, match="neither"):
        quality.decide(evaluation=number, answers=None, words="no", by=boss, now=NOW)
    better = Answers(points={"greet": 1, "tone": 5, "law": 1})
    quality.decide(evaluation=number, answers=better, words="true", by=other, now=NOW)
    assert reads.evaluation(agent, number).score == 100.0
    with pytest.raises(EvaluationRefused):
        quality.dispute(evaluation=number, reason="again", by=agent, now=NOW)
    stranger = world.actor(Role.OWNER, world.south)
    assert reads.evaluations(stranger) == reads.cards(stranger) == []
    with pytest.raises(NotFound):
        reads.evaluation(stranger, number)


def test_a_calibration_is_blind_until_it_is_closed_and_is_no_score_of_the_agent(world: World) -> None:
    boss, other = world.actor(Role.SUPERVISOR, world.north), world.actor(Role.SUPERVISOR, world.north, also="b")
    agent, contact = world.actor(Role.AGENT, world.north, Scope.ORGANISATION), served(world)
    card = quality.add_card(organisation=world.north, key="calls", card=CARD, by=boss, now=NOW)
    quality.publish_card(card=card, by=boss, now=NOW)
    number = quality.open_calibration(contact=contact, card=card, by=boss, now=NOW)
    worse = Answers(points={"greet": 0, "tone": 2, "law": 1})
    for who, answers in ((boss, GOOD), (other, worse)):
        quality.evaluate(contact=contact, card=card, answers=answers, coaching="", by=who, calibration=number, now=NOW)
    seen = reads.calibration(boss, number)
    assert [one.evaluator for one in seen.given] == [boss.user] and seen.count == 2 and seen.spreads == ()
    assert reads.mine(agent) == []
    quality.close_calibration(calibration=number, by=boss, now=NOW)
    seen = reads.calibration(boss, number)
    assert len(seen.given) == 2 and seen.spreads[-1].deviation == 22.0
