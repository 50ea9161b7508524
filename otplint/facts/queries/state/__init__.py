"""What an actor holds, loses and shares."""
