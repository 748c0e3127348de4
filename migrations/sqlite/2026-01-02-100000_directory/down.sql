DROP TABLE directory_users;
DROP TABLE directory_keys;
DROP TABLE directory_apps;
