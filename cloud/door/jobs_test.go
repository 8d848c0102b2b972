package door_test

import (
	"context"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"ouro/cloud/door"
)

// Calls that come while the door closes are answered or refused; those of work
// that Close waits for are answered to the end.
func TestCallsAroundClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	call := func() error {
		client := cloudformation.NewFromConfig(w.As(door.Caller{Account: "111111111111", Region: "eu-west-1"}))
		_, err := client.DescribeStacks(context.Background(), &cloudformation.DescribeStacksInput{})
		return err
	}
	last := make(chan error, 1)
	w.Go("tidies up", func(ctx context.Context) {
		<-ctx.Done()
		last <- call()
	})
	var strays sync.WaitGroup
	for range 8 {
		strays.Go(func() {
			for call() == nil { // until it is refused
			}
		})
	}
	w.Close()
	if err := <-last; err != nil {
		t.Errorf("a call of work that Close waits for: %v", err)
	}
	strays.Wait()
	if err := call(); err == nil {
		t.Error("a closed door answered")
	}
	w.Go("too late", func(context.Context) { t.Error("work was started on a closed door") })
	w.Close()
}
