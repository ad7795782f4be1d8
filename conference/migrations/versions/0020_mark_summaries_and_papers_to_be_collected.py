"""mark summaries and papers to be collected.

Revision 0020, follows 0019.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table('paper', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_summary', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('is_restricted', sa.Boolean(), server_default=sa.false(), nullable=False))



def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table('paper', schema=None) as batch_op:
        batch_op.drop_column('is_restricted')
        batch_op.drop_column('is_summary')

