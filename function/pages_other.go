//go:build !linux

package function

// dropPages does nothing where Lambda does not run.
func dropPages() {}
