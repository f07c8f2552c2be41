"""The page of a detector for people: one HTML file that needs no other, made of what the stages wrote."""
