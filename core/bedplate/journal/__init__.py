"""The journal: what entered, kept until every reader has it. People call it store and forward."""
