"""Charts as data: each module turns measured rows into a Plotly figure and the table behind it. No Django here."""
