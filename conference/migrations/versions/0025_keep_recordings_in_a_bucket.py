"""keep recordings in a bucket.

Revision 0025, follows 0024.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.add_column(sa.Column('objects', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('upload_attempts', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('upload_after', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('upload_error', sa.Text(), server_default='', nullable=False))


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table('recording', schema=None) as batch_op:
        batch_op.drop_column('upload_error')
        batch_op.drop_column('upload_after')
        batch_op.drop_column('upload_attempts')
        batch_op.drop_column('objects')
