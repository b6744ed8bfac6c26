"""What developers of this project run; nothing of it is installed with the package.

- ``command_reference.py``: the documentation's page of commands, from the parser
- ``screenshots/``: the documentation's pictures of the windows
"""
