"""What a person looks at: figures, tables and contact sheets, the same bytes on every run."""
