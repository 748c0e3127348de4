DROP TABLE audit_anchors;
ALTER TABLE audit_entries DROP COLUMN detail;
