"""A file a rule: what Docker takes, and a reader of the stack would still want to know."""
