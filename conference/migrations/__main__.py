"""``python -m conference.migrations "what changes"``: write the next revision from the models."""

import re
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from conference.directory.vietnamese import fold
from conference.migrations import configuration, upgrade


def main(message: str) -> None:
    """Build a database from the revisions there are, compare it with the models, write the rest."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.sqlite3'}"
        upgrade(url)
        config = configuration(url)
        count = len(list(ScriptDirectory.from_config(config).walk_revisions()))
        name = re.sub(r"[^a-z0-9]+", "_", fold(message)).strip("_")
        number = f"{count + 1:04d}"
        config.set_main_option("file_template", f"{number}_{name}")
        command.revision(config, message, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python -m conference.migrations "what changes"')
    main(sys.argv[1])
