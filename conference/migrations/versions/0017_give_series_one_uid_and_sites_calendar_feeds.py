"""give series one uid and sites calendar feeds.

Revision 0017, follows 0016.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table('series_place',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('series_id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('join_code', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['series_id'], ['meeting_series.id'], name=op.f('fk_series_place_series_id_meeting_series')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_series_place_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_series_place')),
    sa.UniqueConstraint('join_code', name=op.f('uq_series_place_join_code')),
    sa.UniqueConstraint('series_id', 'site_id', name=op.f('uq_series_place_series_id'))
    )
    with op.batch_alter_table('series_place', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_series_place_series_id'), ['series_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_series_place_site_id'), ['site_id'], unique=False)

    with op.batch_alter_table('calendar_feed', schema=None) as batch_op:
        batch_op.add_column(sa.Column('site_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('issued_by', sa.String(length=160), server_default='', nullable=False))
        batch_op.alter_column('account_id',
               existing_type=sa.INTEGER(),
               nullable=True)
        batch_op.create_unique_constraint(batch_op.f('uq_calendar_feed_site_id'), ['site_id'])
        batch_op.create_foreign_key(batch_op.f('fk_calendar_feed_site_id_site'), 'site', ['site_id'], ['id'])

    with op.batch_alter_table('meeting_series', schema=None) as batch_op:
        batch_op.add_column(sa.Column('starts_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('ics_uid', sa.String(length=120), server_default='', nullable=False))
        batch_op.add_column(sa.Column('ics_sequence', sa.Integer(), server_default='0', nullable=False))
        batch_op.create_index(batch_op.f('ix_meeting_series_ics_uid'), ['ics_uid'], unique=False)

    with op.batch_alter_table('outbox_message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('series_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_outbox_message_series_id'), ['series_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_outbox_message_series_id_meeting_series'), 'meeting_series', ['series_id'], ['id'])



def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table('outbox_message', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_outbox_message_series_id_meeting_series'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_outbox_message_series_id'))
        batch_op.drop_column('series_id')

    with op.batch_alter_table('meeting_series', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_meeting_series_ics_uid'))
        batch_op.drop_column('ics_sequence')
        batch_op.drop_column('ics_uid')
        batch_op.drop_column('starts_at')

    op.execute("DELETE FROM calendar_feed WHERE account_id IS NULL")
    with op.batch_alter_table('calendar_feed', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_calendar_feed_site_id_site'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('uq_calendar_feed_site_id'), type_='unique')
        batch_op.alter_column('account_id',
               existing_type=sa.INTEGER(),
               nullable=False)
        batch_op.drop_column('issued_by')
        batch_op.drop_column('site_id')

    with op.batch_alter_table('series_place', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_series_place_site_id'))
        batch_op.drop_index(batch_op.f('ix_series_place_series_id'))

    op.drop_table('series_place')
