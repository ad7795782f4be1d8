"""close minutes, keep notices, tasks and signed papers.

Revision 0007, follows 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""

    op.create_table('conclusion_notice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=60), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=True),
    sa.Column('opening', sa.Text(), nullable=False),
    sa.Column('authority', sa.String(length=200), nullable=False),
    sa.Column('signer', sa.String(length=160), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('updated_by', sa.String(length=160), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_conclusion_notice_meeting_id_meeting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conclusion_notice')),
    sa.UniqueConstraint('meeting_id', name=op.f('uq_conclusion_notice_meeting_id'))
    )
    op.create_table('conclusion_task',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('lead_unit_id', sa.Integer(), nullable=False),
    sa.Column('lead_unit_name', sa.String(length=200), nullable=False),
    sa.Column('coordinating', sa.JSON(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('remind_days', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(32), nullable=False),
    sa.Column('progress', sa.Text(), nullable=False),
    sa.Column('done_on', sa.Date(), nullable=True),
    sa.Column('updated_by', sa.String(length=160), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['lead_unit_id'], ['unit.id'], name=op.f('fk_conclusion_task_lead_unit_id_unit')),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_conclusion_task_meeting_id_meeting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conclusion_task'))
    )
    with op.batch_alter_table('conclusion_task', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_conclusion_task_due_on'), ['due_on'], unique=False)
        batch_op.create_index(batch_op.f('ix_conclusion_task_lead_unit_id'), ['lead_unit_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_conclusion_task_meeting_id'), ['meeting_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_conclusion_task_state'), ['state'], unique=False)

    op.create_table('signed_paper',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(32), nullable=False),
    sa.Column('filename', sa.String(length=255), nullable=False),
    sa.Column('stored_name', sa.String(length=64), nullable=False),
    sa.Column('size_bytes', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('verdict', sa.String(32), nullable=False),
    sa.Column('signatures', sa.JSON(), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('uploaded_by', sa.String(length=160), nullable=False),
    sa.Column('uploaded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_signed_paper_meeting_id_meeting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signed_paper')),
    sa.UniqueConstraint('stored_name', name=op.f('uq_signed_paper_stored_name'))
    )
    with op.batch_alter_table('signed_paper', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_signed_paper_meeting_id'), ['meeting_id'], unique=False)

    op.create_table('minutes_addendum',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('minutes_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('added_by', sa.String(length=160), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['minutes_id'], ['minutes.id'], name=op.f('fk_minutes_addendum_minutes_id_minutes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_minutes_addendum'))
    )
    with op.batch_alter_table('minutes_addendum', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_minutes_addendum_minutes_id'), ['minutes_id'], unique=False)

    with op.batch_alter_table('minutes', schema=None) as batch_op:
        batch_op.add_column(sa.Column('signed_at', sa.DateTime(timezone=True), nullable=True))




def downgrade() -> None:
    """Undo it."""

    with op.batch_alter_table('minutes', schema=None) as batch_op:
        batch_op.drop_column('signed_at')

    with op.batch_alter_table('minutes_addendum', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_minutes_addendum_minutes_id'))

    op.drop_table('minutes_addendum')
    with op.batch_alter_table('signed_paper', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_signed_paper_meeting_id'))

    op.drop_table('signed_paper')
    with op.batch_alter_table('conclusion_task', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_conclusion_task_state'))
        batch_op.drop_index(batch_op.f('ix_conclusion_task_meeting_id'))
        batch_op.drop_index(batch_op.f('ix_conclusion_task_lead_unit_id'))
        batch_op.drop_index(batch_op.f('ix_conclusion_task_due_on'))

    op.drop_table('conclusion_task')
    op.drop_table('conclusion_notice')

