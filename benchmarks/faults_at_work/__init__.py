"""What the fault measurement is made of: people who use a site, services that can fail, and the faults themselves."""
