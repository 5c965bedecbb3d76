"""What is handed out: archives, images, locks."""
