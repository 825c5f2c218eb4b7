"""The language of rules: units and types, the grammar of expressions, the shape of documents."""
