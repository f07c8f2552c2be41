"""The commands of `efficientad`, a file each: their arguments, and a call of the package."""
