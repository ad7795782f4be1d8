"""keep imports and headings.

Revision 0024, follows 0023.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table('directory_import',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.String(length=160), nullable=False),
    sa.Column('new', sa.Integer(), nullable=False),
    sa.Column('changed', sa.Integer(), nullable=False),
    sa.Column('record', sa.JSON(), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('undone_by', sa.String(length=160), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_directory_import'))
    )
    with op.batch_alter_table('directory_import', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_directory_import_made_at'), ['made_at'], unique=False)

    op.create_table('import_heading',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('heading_folded', sa.String(length=200), nullable=False),
    sa.Column('column', sa.String(length=60), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_import_heading')),
    sa.UniqueConstraint('kind', 'heading_folded', name=op.f('uq_import_heading_kind'))
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table('import_heading')
    with op.batch_alter_table('directory_import', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_directory_import_made_at'))

    op.drop_table('directory_import')
