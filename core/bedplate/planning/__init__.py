"""What changing from one deployment to another would do, without doing any of it."""
