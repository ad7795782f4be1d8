"""keep the history of units, offices and sites.

Revision 0002, follows 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table('unit_change',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(32), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('reference', sa.String(length=200), nullable=False),
    sa.Column('recorded_by', sa.String(length=160), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit_change'))
    )
    with op.batch_alter_table('unit_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_unit_change_effective_on'), ['effective_on'], unique=False)

    op.create_table('succession',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('change_id', sa.Integer(), nullable=False),
    sa.Column('predecessor_id', sa.Integer(), nullable=False),
    sa.Column('successor_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['change_id'], ['unit_change.id'], name=op.f('fk_succession_change_id_unit_change')),
    sa.ForeignKeyConstraint(['predecessor_id'], ['unit.id'], name=op.f('fk_succession_predecessor_id_unit')),
    sa.ForeignKeyConstraint(['successor_id'], ['unit.id'], name=op.f('fk_succession_successor_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_succession')),
    sa.UniqueConstraint('predecessor_id', 'successor_id', name=op.f('uq_succession_predecessor_id'))
    )
    with op.batch_alter_table('succession', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_succession_change_id'), ['change_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_succession_successor_id'), ['successor_id'], unique=False)

    op.create_table('unit_code',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('system', sa.String(32), nullable=False),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_unit_code_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unit_code')),
    sa.UniqueConstraint('unit_id', 'system', 'code', name=op.f('uq_unit_code_unit_id'))
    )
    with op.batch_alter_table('unit_code', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_unit_code_code'), ['code'], unique=False)
        batch_op.create_index(batch_op.f('ix_unit_code_unit_id'), ['unit_id'], unique=False)

    op.create_table('appointment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=True),
    sa.Column('title', sa.String(length=160), nullable=False),
    sa.Column('protocol_order', sa.Integer(), nullable=False),
    sa.Column('may_chair', sa.Boolean(), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_appointment_person_id_person')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_appointment_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appointment'))
    )
    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_appointment_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_appointment_unit_id'), ['unit_id'], unique=False)

    op.create_table('former_holder',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('until_day', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_former_holder_site_id_site')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_former_holder_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_former_holder')),
    sa.UniqueConstraint('site_id', 'until_day', name=op.f('uq_former_holder_site_id'))
    )
    with op.batch_alter_table('former_holder', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_former_holder_unit_id'), ['unit_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_former_holder_until_day'), ['until_day'], unique=False)

    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('password_link_hash', sa.String(length=64), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('password_link_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_account_password_link_hash'), ['password_link_hash'], unique=False)

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_person_sort_key'), ['sort_key'], unique=False)

    with op.batch_alter_table('site', schema=None) as batch_op:
        batch_op.add_column(sa.Column('line_mbps', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('equipment', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('technician_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_site_technician_id'), ['technician_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_site_technician_id_person'), 'person', ['technician_id'], ['id'])

    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_unit_code'), type_='unique')
        batch_op.create_index(batch_op.f('ix_unit_code'), ['code'], unique=False)
    # the defaults served the rows that were there; the models name every value themselves
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.alter_column('password_link_hash', server_default=None)
    with op.batch_alter_table('site', schema=None) as batch_op:
        batch_op.alter_column('equipment', server_default=None)
    op.execute(
        "INSERT INTO appointment (person_id, unit_id, title, protocol_order, may_chair) "
        "SELECT id, unit_id, title, protocol_order, may_chair FROM person WHERE title <> ''"
    )


def downgrade() -> None:
    """Undo it; units that share a code get the row's number behind it, new roles lose access."""
    op.execute(
        "UPDATE unit SET code = substr(code, 1, 28) || '.' || id WHERE id NOT IN "
        "(SELECT first_id FROM (SELECT min(id) AS first_id FROM unit GROUP BY code) AS kept)"
    )
    op.execute(
        "UPDATE account SET role = 'site', is_active = false "
        "WHERE role IN ('office_chief', 'delegate', 'leader', 'auditor')"
    )
    with op.batch_alter_table('unit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_unit_code'))
        batch_op.create_unique_constraint(batch_op.f('uq_unit_code'), ['code'])

    with op.batch_alter_table('site', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_site_technician_id_person'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_site_technician_id'))
        batch_op.drop_column('technician_id')
        batch_op.drop_column('equipment')
        batch_op.drop_column('line_mbps')

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_person_sort_key'))

    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_account_password_link_hash'))
        batch_op.drop_column('password_link_until')
        batch_op.drop_column('password_link_hash')

    with op.batch_alter_table('former_holder', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_former_holder_until_day'))
        batch_op.drop_index(batch_op.f('ix_former_holder_unit_id'))

    op.drop_table('former_holder')
    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_appointment_unit_id'))
        batch_op.drop_index(batch_op.f('ix_appointment_person_id'))

    op.drop_table('appointment')
    with op.batch_alter_table('unit_code', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_unit_code_unit_id'))
        batch_op.drop_index(batch_op.f('ix_unit_code_code'))

    op.drop_table('unit_code')
    with op.batch_alter_table('succession', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_succession_successor_id'))
        batch_op.drop_index(batch_op.f('ix_succession_change_id'))

    op.drop_table('succession')
    with op.batch_alter_table('unit_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_unit_change_effective_on'))

    op.drop_table('unit_change')
