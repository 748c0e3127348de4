DROP INDEX audit_anchors_voucher;
DROP TABLE audit_purges;
