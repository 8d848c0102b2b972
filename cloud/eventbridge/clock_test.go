package eventbridge_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	api "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// watch is a clock that is set by hand.
type watch struct {
	mu sync.Mutex
	at time.Time
}

func (w *watch) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *watch) set(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = at
}

func TestSchedulesFire(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	start := time.Date(2026, 11, 21, 10, 0, 30, 0, time.UTC)
	w := &watch{at: start}
	b, end := openAt(t, dir, nil, w.now)
	fired := func(want string) {
		t.Helper()
		select {
		case e := <-b.groups.written:
			for _, part := range []string{`"detail-type":"Scheduled Event"`, `"source":"aws.events"`, `"time":"` + want + `"`, `"resources":["arn:aws:events:us-east-1:000000000000:rule/`, `"detail":{}`} {
				if !strings.Contains(*e.Message, part) {
					t.Errorf("no %s in %s", part, *e.Message)
				}
			}
		case <-time.After(time.Minute):
			t.Fatalf("nothing at %s", want)
		}
	}
	// The clock looks again whenever a rule is enabled.
	goTo := func(at time.Time) {
		t.Helper()
		w.set(at)
		if _, err := b.events.EnableRule(ctx, &api.EnableRuleInput{Name: aws.String("often")}); err != nil {
			t.Fatal(err)
		}
	}
	rule := func(name, schedule string) {
		t.Helper()
		if _, err := b.events.PutRule(ctx, &api.PutRuleInput{Name: &name, ScheduleExpression: &schedule}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.events.PutTargets(ctx, &api.PutTargetsInput{Rule: &name, Targets: []types.Target{{Id: aws.String("log"), Arn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:/events")}}}); err != nil {
			t.Fatal(err)
		}
	}
	rule("often", "rate(5 minutes)")
	goTo(start.Add(5 * time.Minute))
	fired("2026-11-21T10:05:30Z")
	goTo(start.Add(9 * time.Minute))
	rule("often", "rate(5 minutes)") // goes on as it was
	goTo(start.Add(10*time.Minute + time.Second))
	fired("2026-11-21T10:10:30Z")

	if _, err := b.events.DisableRule(ctx, &api.DisableRuleInput{Name: aws.String("often")}); err != nil {
		t.Fatal(err)
	}
	w.set(start.Add(16 * time.Minute))
	goTo(start.Add(16 * time.Minute)) // begins anew
	goTo(start.Add(21 * time.Minute))
	fired("2026-11-21T10:21:30Z")

	// The process ends, and what fell due meanwhile fires if it is not a minute old.
	rule("daily", "cron(30 10 * * ? *)")
	end()
	w.set(start.Add(30 * time.Minute)) // 10:30:30; the other one fell due at 10:26:30
	b, end = openAt(t, dir, nil, w.now)
	fired("2026-11-21T10:30:00Z")
	goTo(start.Add(31 * time.Minute))
	fired("2026-11-21T10:31:30Z")
	end()
	b, end = openAt(t, dir, nil, w.now)
	goTo(start.Add(36 * time.Minute)) // nothing fires a second time
	fired("2026-11-21T10:36:30Z")
	end()
	select {
	case e := <-b.groups.written:
		t.Errorf("one more: %s", logText(e))
	default:
	}
}

func logText(e logtypes.InputLogEvent) string { return aws.ToString(e.Message) }
