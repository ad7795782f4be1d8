"""What people type in the room, made safe to show and to store. Pure."""


def clean_text(text: str) -> str:
    """``text`` without control characters, which some screens and databases cannot take."""
    kept = "".join(c for c in text if c in "\n\t" or (c.isprintable() and not _is_bidi(c)))
    return kept.strip()


def _is_bidi(character: str) -> bool:
    # explicit direction marks can make a line read as something else (Trojan Source)
    return "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
