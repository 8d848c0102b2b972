package template

// QuickYAML and LibraryYAML are the two readers of YAML, for the test that
// holds one to the other.
func QuickYAML(file string, body []byte) *Node {
	return quickYAML(file, body, newArena(len(body)))
}

func LibraryYAML(file string, body []byte) (*Node, *Error) {
	return libraryYAML(file, body, newArena(len(body)))
}
