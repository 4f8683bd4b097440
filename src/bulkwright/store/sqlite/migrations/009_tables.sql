-- Modules over tables of the user's own: where they are, and where their fields are in them.
ALTER TABLE modules ADD COLUMN table_schema TEXT;
ALTER TABLE modules ADD COLUMN table_name TEXT;
ALTER TABLE fields ADD COLUMN column_name TEXT;
ALTER TABLE fields ADD COLUMN column_type TEXT;
ALTER TABLE fields ADD COLUMN column_nullable INTEGER;
