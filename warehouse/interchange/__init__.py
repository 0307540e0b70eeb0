"""Other people's formats: what was published elsewhere comes in, and releases go out for other people's programs."""
