"""Models as Lightning modules, for whoever trains with a Trainer of their own."""
