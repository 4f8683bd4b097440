-- Lists of jobs read the newest ones of an org, and not those of all other orgs.
CREATE INDEX jobs_by_org ON jobs (org_id, id);
