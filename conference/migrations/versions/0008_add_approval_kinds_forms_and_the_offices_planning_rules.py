"""add approval, kinds, forms and the office's planning rules.

Revision 0008, follows 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table('calendar_day',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('kind', sa.String(32), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_calendar_day'))
    )
    op.create_table('planning_setting',
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('value', sa.String(length=60), nullable=False),
    sa.Column('changed_by', sa.String(length=160), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_planning_setting'))
    )
    with op.batch_alter_table('meeting', schema=None) as batch_op:
        batch_op.add_column(sa.Column('relay_mode', sa.String(32), server_default='none', nullable=False))
        batch_op.add_column(sa.Column('kind', sa.String(32), nullable=True))
        batch_op.add_column(sa.Column('form', sa.String(32), server_default='online', nullable=False))
        batch_op.add_column(sa.Column('is_ad_hoc', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('ad_hoc_reason', sa.String(length=500), server_default='', nullable=False))
        batch_op.add_column(sa.Column('is_not_prohibited', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('status_ground', sa.String(32), nullable=True))
        batch_op.add_column(sa.Column('requested_by', sa.String(length=160), server_default='', nullable=False))
        batch_op.add_column(sa.Column('requested_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('approved_by', sa.String(length=160), server_default='', nullable=False))
        batch_op.add_column(sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('invited_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index('ix_meeting_interval', ['starts_at', 'ends_at'], unique=False)



def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table('meeting', schema=None) as batch_op:
        batch_op.drop_index('ix_meeting_interval')
        batch_op.drop_column('invited_at')
        batch_op.drop_column('approved_at')
        batch_op.drop_column('approved_by')
        batch_op.drop_column('requested_at')
        batch_op.drop_column('requested_by')
        batch_op.drop_column('status_ground')
        batch_op.drop_column('is_not_prohibited')
        batch_op.drop_column('ad_hoc_reason')
        batch_op.drop_column('is_ad_hoc')
        batch_op.drop_column('form')
        batch_op.drop_column('kind')
        batch_op.drop_column('relay_mode')

    op.drop_table('planning_setting')
    op.drop_table('calendar_day')
