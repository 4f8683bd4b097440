-- The role that Bulkwright runs as, and its database. As a superuser, on PostgreSQL 15 or newer:
--     ROLE_PASSWORD=... psql -v ON_ERROR_STOP=1 -d postgres -f role.sql
-- The password comes by environment: a command line could be read by other users of the machine.
\getenv password ROLE_PASSWORD
CREATE ROLE bulkwright LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
-- It owns this one database and nothing else. It cannot do with less than CREATE in a schema and
-- TEMPORARY: it makes a table for every module, columns for new fields, indexes for what jobs find
-- by, and workers stage changes in temporary tables.
CREATE DATABASE bulkwright OWNER bulkwright TEMPLATE template0 ENCODING 'UTF8';
-- Nobody else comes in.
REVOKE ALL ON DATABASE bulkwright FROM PUBLIC;
