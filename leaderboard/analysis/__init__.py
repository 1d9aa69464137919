"""The mathematics behind pages and charts: frontiers, tests of difference, change points, advice. No Django here."""
