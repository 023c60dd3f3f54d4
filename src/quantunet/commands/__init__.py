"""One file per sub-command of the quantunet command line."""
