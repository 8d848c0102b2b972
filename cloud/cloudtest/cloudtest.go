// Package cloudtest gives tests a whole local cloud that listens on a free
// port of the loopback.
package cloudtest

import (
	"net"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"ouro/cloud"
)

// Cloud is a running local cloud.
type Cloud struct {
	*cloud.Server
	Dir    string
	Config aws.Config // for clients over the socket, account 000000000000, region us-east-1
}

// New starts a cloud on an empty state directory; it ends with the test.
func New(t testing.TB) *Cloud {
	t.Helper()
	return NewWith(t, nil)
}

// NewWith starts a cloud that has services of the test's own besides, by their
// names in AWS's models.
func NewWith(t testing.TB, services map[string]any) *Cloud {
	t.Helper()
	c := StartWith(t, cloud.Options{Dir: t.TempDir(), Services: services})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("closing the cloud: %v", err)
		}
	})
	return c
}

// Start starts a cloud on dir, which the test closes itself. executable is
// the ouro that builds find; empty for none.
func Start(t testing.TB, dir, executable string) *Cloud {
	t.Helper()
	return StartWith(t, cloud.Options{Dir: dir, Executable: executable})
}

// StartWith starts a cloud, which the test closes itself.
func StartWith(t testing.TB, o cloud.Options) *Cloud {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := cloud.Start(t.Context(), l, o)
	if err != nil {
		t.Fatalf("starting a cloud: %v", err)
	}
	return &Cloud{Server: s, Dir: o.Dir, Config: aws.Config{
		Region: "us-east-1", BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider("000000000000", "test", ""),
	}}
}
