"""Everything in the database, by named SQL queries; one folder for each dialect."""
