DROP TABLE vault_generation;
