"""index the words of every file.

Revision 0015, follows 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

_OLD = (
    "INSERT INTO search_words(search_words, rowid, marked, folded)"
    " VALUES ('delete', old.id, old.marked, old.folded);"
)
_NEW = "INSERT INTO search_words(rowid, marked, folded) VALUES (new.id, new.marked, new.folded);"
SQLITE = (
    "CREATE VIRTUAL TABLE search_words USING fts5(marked, folded, content='search_piece',"
    " content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    f"CREATE TRIGGER search_piece_added AFTER INSERT ON search_piece BEGIN {_NEW} END",
    f"CREATE TRIGGER search_piece_removed AFTER DELETE ON search_piece BEGIN {_OLD} END",
    f"CREATE TRIGGER search_piece_changed AFTER UPDATE ON search_piece BEGIN {_OLD} {_NEW} END",
)
POSTGRESQL = (
    "ALTER TABLE search_piece ADD COLUMN marked_words tsvector"
    " GENERATED ALWAYS AS (to_tsvector('simple', marked)) STORED",
    "CREATE INDEX ix_search_piece_marked_words ON search_piece USING gin (marked_words)",
    "ALTER TABLE search_piece ADD COLUMN folded_words tsvector"
    " GENERATED ALWAYS AS (to_tsvector('simple', folded)) STORED",
    "CREATE INDEX ix_search_piece_folded_words ON search_piece USING gin (folded_words)",
)


def upgrade() -> None:
    """Make the change."""
    op.create_table('search_piece',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('meeting_id', sa.Integer(), nullable=False),
    sa.Column('place', sa.String(32), nullable=False),
    sa.Column('shown', sa.Text(), nullable=False),
    sa.Column('marked', sa.Text(), nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['meeting_id'], ['meeting.id'], name=op.f('fk_search_piece_meeting_id_meeting'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_search_piece'))
    )
    with op.batch_alter_table('search_piece', schema=None) as batch_op:
        batch_op.create_index('ix_search_piece_meeting_place', ['meeting_id', 'place'], unique=False)

    with op.batch_alter_table('paper', schema=None) as batch_op:
        batch_op.add_column(sa.Column('text', sa.Text(), server_default='', nullable=False))
    connection = op.get_bind()
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Undo it."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for act in ("added", "removed", "changed"):
            connection.exec_driver_sql(f"DROP TRIGGER search_piece_{act}")
        connection.exec_driver_sql("DROP TABLE search_words")
    with op.batch_alter_table('paper', schema=None) as batch_op:
        batch_op.drop_column('text')

    op.drop_table('search_piece')
