-- The role that Bulkwright runs as, and its database. As a superuser, on PostgreSQL 15 or newer:
--     ROLE_PASSWORD=... psql -v ON_ERROR_STOP=1 -d postgres -f role.sql
-- The password is an environment variable, because other users of the machine can read a command line.
\set password ''
\getenv password ROLE_PASSWORD
\set superuser ''
\getenv superuser POSTGRES_PASSWORD
SELECT :'password' IN ('', 'CHANGE_ME') OR :'superuser' = 'CHANGE_ME' AS placeholder \gset
\if :placeholder
\warn 'Set ROLE_PASSWORD and POSTGRES_PASSWORD to passwords of your own.'
SELECT password_is_not_set;             -- an error, which stops psql
\endif
CREATE ROLE bulkwright LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
-- It owns this one database and nothing else. It needs CREATE in a schema and TEMPORARY at least: it
-- creates a table for every module, columns for new fields, indexes for find_by fields, and workers
-- put changes into temporary tables.
CREATE DATABASE bulkwright OWNER bulkwright TEMPLATE template0 ENCODING 'UTF8';
-- No other role can connect.
REVOKE ALL ON DATABASE bulkwright FROM PUBLIC;
