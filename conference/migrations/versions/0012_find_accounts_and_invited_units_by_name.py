"""find accounts and invited units by name.

Revision 0012, follows 0011.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('name_folded', sa.String(length=160), nullable=False, server_default=''))

    with op.batch_alter_table('invited_site', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invited_site_unit_name'), ['unit_name'], unique=False)

    _fold_names()
    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.alter_column('name_folded', server_default=None)


def _fold_names() -> None:
    """Fill the new column for the accounts that are there."""
    account = sa.table('account', sa.column('id'), sa.column('display_name'), sa.column('name_folded'))
    connection = op.get_bind()
    for number, name in connection.execute(sa.select(account.c.id, account.c.display_name)).all():
        bare = unicodedata.normalize('NFKD', name.replace('đ', 'd').replace('Đ', 'd'))
        folded = ''.join(c for c in bare if unicodedata.category(c) != 'Mn').lower()
        kept = ' '.join(folded.replace("'", '').split())[:160]
        connection.execute(
            sa.update(account).where(account.c.id == number).values(name_folded=kept)
        )


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table('invited_site', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invited_site_unit_name'))

    with op.batch_alter_table('account', schema=None) as batch_op:
        batch_op.drop_column('name_folded')

