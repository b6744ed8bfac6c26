"""One file a command: NAME, HELP, EXAMPLE, add_arguments(parser), run(args) -> exit status."""
