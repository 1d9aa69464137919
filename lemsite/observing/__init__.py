"""How the site is watched: request ids, the access log, metrics, errors and traces to services that are set."""
