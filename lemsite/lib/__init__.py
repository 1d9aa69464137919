"""Small helpers that import no app of this site."""
