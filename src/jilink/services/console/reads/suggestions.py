"""Knowledge that may help with a case."""

from jilink.core.knowledge import reads as knowledge
from jilink.core.knowledge.reads import Found
from jilink.core.parties.access import Actor, NotFound
from jilink.core.search.words import dictionary_words

MOST = 4
MOST_WORDS = 6


def suggested(actor: Actor, title: str, description: str, *, language: str) -> list[Found]:
    """Return up to four articles that fit a case: those that hold its whole title first, then those that hold most of its words."""
    try:
        found = {each.article.id: (100, each) for each in knowledge.find(actor, title, language=language, size=MOST)}
        words = list(dict.fromkeys(dictionary_words(title) + dictionary_words(description[:200])))[:MOST_WORDS]
        for word in words if len(found) < MOST else []:
            for each in knowledge.find(actor, word, language=language, size=MOST):
                weight, first = found.get(each.article.id, (0, each))
                found[each.article.id] = (weight + len(word), first)
    except NotFound:  # no knowledge for this reader
        return []
    ordered = sorted(found.values(), key=lambda pair: -pair[0])
    return [each for _weight, each in ordered[:MOST]]
