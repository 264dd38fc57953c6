-- From version 1 to version 2 of fleet.db. Workers beat again in a second.
DROP TABLE workers;
