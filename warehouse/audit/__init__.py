"""What is suspicious in a release: targets far from everybody else's, implausible muscles, signs and sides."""
