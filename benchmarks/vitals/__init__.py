"""How four pages do in a real Chromium: the measurements of Lighthouse, without Lighthouse."""
