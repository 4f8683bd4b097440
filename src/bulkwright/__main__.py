"""`python -m bulkwright` is the command `bulkwright`."""

from bulkwright.cli import main

main()
