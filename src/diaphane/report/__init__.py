"""What came of a training, as one page to hand over."""
