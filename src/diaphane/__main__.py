"""``python -m diaphane`` is the command ``diaphane``."""

from .app.command import main

main()
