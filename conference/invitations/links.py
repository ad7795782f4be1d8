"""Addresses that letters, papers and calendars carry: to enter a meeting and to answer. Pure."""


def join_link(public_url: str, join_code: str) -> str:
    """The address at which one site enters one meeting, or a series' next one."""
    return f"{public_url}/vao/{join_code}"


def reply_link(public_url: str, join_code: str) -> str:
    """The address at which one site answers one invitation, or a series' next one."""
    return f"{public_url}/tra-loi/{join_code}"
