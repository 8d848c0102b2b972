package codebuild_test

import (
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codebuild"
)

// BenchmarkNothing is what a build costs that does nothing.
func BenchmarkNothing(b *testing.B) {
	c := newCloud(b, b.TempDir())
	p := c.create(b, project("nothing", "version: 0.2\nphases:\n  build: {commands: ['true']}", nil))
	for b.Loop() {
		c.wait(b, c.start(b, &api.StartBuildInput{ProjectName: p.Name}))
	}
}
