DROP INDEX users_terminating;
