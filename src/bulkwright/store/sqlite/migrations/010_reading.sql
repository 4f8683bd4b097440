-- How the file of a resource is read: encoding, delimiter, and what of it was a guess (JSON).
ALTER TABLE resources ADD COLUMN reading TEXT;
