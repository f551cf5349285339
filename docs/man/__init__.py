"""The man pages, the default settings file and the shell completion, all made of the source."""
