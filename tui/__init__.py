"""Ferry, a terminal file manager that moves many files and goes on when you leave."""

__version__ = "0.1.0"
