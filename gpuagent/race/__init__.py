"""One lane of a race: the same prompts to the model server of this host, streamed, timed and scored."""
