"""keep delegates and signed attendance.

Revision 0004, follows 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

def upgrade() -> None:
    """Make the change."""

    op.create_table('attendance_version',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('opened_by', sa.String(length=160), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('signed_by', sa.String(length=160), nullable=False),
    sa.Column('signed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_attendance_version_meeting_id_meeting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attendance_version')),
    sa.UniqueConstraint('meeting_id', 'number', name=op.f('uq_attendance_version_meeting_id'))
    )
    with op.batch_alter_table('attendance_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attendance_version_meeting_id'), ['meeting_id'], unique=False)

    op.create_table('attendance_delegate',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('invited_site_id', sa.Integer(), nullable=True),
    sa.Column('account_id', sa.Integer(), nullable=True),
    sa.Column('key', sa.String(length=300), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('full_name', sa.String(length=120), nullable=False),
    sa.Column('title', sa.String(length=160), nullable=False),
    sa.Column('unit_name', sa.String(length=200), nullable=False),
    sa.Column('stands_in_for', sa.String(length=160), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('status', sa.String(32), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('marked_by', sa.String(length=160), nullable=False),
    sa.Column('marked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_attendance_delegate_account_id_account')),
    sa.ForeignKeyConstraint(['invited_site_id'], ['invited_site.id'], name=op.f('fk_attendance_delegate_invited_site_id_invited_site')),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_attendance_delegate_meeting_id_meeting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attendance_delegate')),
    sa.UniqueConstraint('meeting_id', 'key', name=op.f('uq_attendance_delegate_meeting_id'))
    )
    with op.batch_alter_table('attendance_delegate', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attendance_delegate_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attendance_delegate_invited_site_id'), ['invited_site_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_attendance_delegate_meeting_id'), ['meeting_id'], unique=False)

    # ### end Alembic commands ###

def downgrade() -> None:
    """Undo it."""

    with op.batch_alter_table('attendance_delegate', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attendance_delegate_meeting_id'))
        batch_op.drop_index(batch_op.f('ix_attendance_delegate_invited_site_id'))
        batch_op.drop_index(batch_op.f('ix_attendance_delegate_account_id'))

    op.drop_table('attendance_delegate')
    with op.batch_alter_table('attendance_version', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attendance_version_meeting_id'))

    op.drop_table('attendance_version')

