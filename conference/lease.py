"""Work that one process at a time shall do: a named lease as a row.

Whoever holds it renews it; when it runs out anybody may take it. The work must bear being done
twice for a moment (a holder that was suspended may wake up late): a lease saves work and noise,
it is no lock.
"""

from datetime import datetime, timedelta

from sqlalchemy import String, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from conference.database import Base


class Lease(Base):
    """Who does the work called `name` until when."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime]


def hold(session: Session, name: str, owner: str, at: datetime, life: timedelta) -> bool:
    """Take or renew the lease until ``at + life``. False while another owner's is running."""
    taken = session.execute(
        update(Lease)
        .where(Lease.name == name, (Lease.owner == owner) | (Lease.until < at))
        .values(owner=owner, until=at + life)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount:  # type: ignore[attr-defined]
        return True
    if session.get(Lease, name) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Lease(name=name, owner=owner, until=at + life))
    except IntegrityError:
        return False  # another process created it in this moment
    return True


def release(session: Session, name: str, owner: str, at: datetime) -> None:
    """Let somebody else have it at once; done at an orderly end."""
    session.execute(
        update(Lease)
        .where(Lease.name == name, Lease.owner == owner)
        .values(until=at - timedelta(seconds=1))
        .execution_options(synchronize_session=False)
    )
