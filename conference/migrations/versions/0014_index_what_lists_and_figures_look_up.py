"""index what lists and figures look up.

Revision 0014, follows 0013.
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table('attendance_mark', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attendance_mark_invited_site_id'), ['invited_site_id'], unique=False)

    with op.batch_alter_table('invited_site', schema=None) as batch_op:
        batch_op.create_index('ix_invited_site_meeting_unit', ['meeting_id', 'unit_name'], unique=False)

    with op.batch_alter_table('outbox_message', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_message_first', ['meeting_id', 'purpose', 'state', 'sent_at'], unique=False)

    with op.batch_alter_table('presence_evidence', schema=None) as batch_op:
        batch_op.create_index('ix_presence_evidence_reason', ['meeting_id', 'kind', 'reason', 'at'], unique=False)



def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table('presence_evidence', schema=None) as batch_op:
        batch_op.drop_index('ix_presence_evidence_reason')

    with op.batch_alter_table('outbox_message', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_message_first')

    with op.batch_alter_table('invited_site', schema=None) as batch_op:
        batch_op.drop_index('ix_invited_site_meeting_unit')

    with op.batch_alter_table('attendance_mark', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attendance_mark_invited_site_id'))

