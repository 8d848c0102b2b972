package git

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// How many events one PutEvents takes, and how many bytes of them; EventBridge
// takes 256 KB with all that belongs to them.
const (
	maxEntries = 10
	maxBytes   = 200 << 10
)

// SendEvents sends the events that announce changes, in order, and stops at
// the first call in which one was refused.
func SendEvents(ctx context.Context, client *eventbridge.Client, entries []types.PutEventsRequestEntry) error {
	for len(entries) > 0 {
		n := fitting(entries)
		out, err := client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries[:n]})
		if err != nil {
			return fmt.Errorf("sending %d events: %w", n, err)
		}
		for _, e := range out.Entries {
			if e.ErrorCode != nil {
				return fmt.Errorf("sending %d events: %s: %s", n, *e.ErrorCode, aws.ToString(e.ErrorMessage))
			}
		}
		entries = entries[n:]
	}
	return nil
}

// fitting tells how many of the entries, but at least one, go into one call.
func fitting(entries []types.PutEventsRequestEntry) int {
	size := 0
	for i, e := range entries {
		size += len(aws.ToString(e.Detail))
		if i == maxEntries || i > 0 && size > maxBytes {
			return i
		}
	}
	return len(entries)
}
