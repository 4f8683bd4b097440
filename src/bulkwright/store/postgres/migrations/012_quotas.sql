-- What the quotas of an org count: its uploads, and those of the last day.
CREATE INDEX uploads_by_org ON uploads (org_id, created_time, bytes);
