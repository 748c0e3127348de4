-- The keyed anchors go. After it every purged chain is BROKEN for good: nothing vouches for what
-- was purged, and only a backup has the anchors.
DROP INDEX audit_anchors_voucher;
DROP TABLE audit_purges;
