"""The language of pages: sentences of the domain in the reader's language.

The domain speaks Vietnamese. A plain sentence is looked up as it is; a
`conference.sentences.Sentence` is looked up by its pattern, its facts translated first, then
filled in.
"""

from flask_babel import gettext

from conference.sentences import Sentence


def translated(text: str) -> str:
    """``text`` in the language of this request."""
    if not isinstance(text, Sentence):
        return str(gettext(str(text)))
    facts = {
        name: translated(fact) if isinstance(fact, Sentence) else fact
        for name, fact in text.facts.items()
    }
    return str(gettext(text.pattern, **facts)) if facts else str(gettext(text.pattern))
