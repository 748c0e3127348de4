DROP TABLE factor_version;
DROP TABLE factor_loads;
