"""Everything that is kept, behind named SQL; one folder for each dialect."""
