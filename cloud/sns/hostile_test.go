package sns_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sns"

	"ouro/cloud"
	"ouro/cloud/cloudtest"
)

// TestHostileEndpoint: a redirect is not followed, an endless answer not read
// to its end, and the log has no secrets of the endpoint's URL.
func TestHostileEndpoint(t *testing.T) {
	t.Parallel()
	log := make(lines, 1000)
	c := cloudtest.StartWith(t, cloud.Options{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(log, nil))})
	client := api.NewFromConfig(c.Config)
	var inside atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside.Store(true) }))
	t.Cleanup(other.Close)
	asked, ended := make(chan bool, 10), make(chan bool, 10)
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- true
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				break
			}
		}
		ended <- true
	}))
	t.Cleanup(hostile.Close)
	topic, err := client.CreateTopic(t.Context(), &api.CreateTopicInput{Name: aws.String("news")})
	if err != nil {
		t.Fatal(err)
	}
	address := strings.Replace(hostile.URL, "http://", "http://me:pass-word@", 1) + "/hook?key=query-key"
	if _, err := client.Subscribe(t.Context(), &api.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: &address}); err != nil {
		t.Fatal(err)
	}
	receive(t, asked)
	receive(t, ended)
	said := ""
	for !strings.Contains(said, "message not delivered") {
		said += receive(t, log)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if inside.Load() {
		t.Error("the redirect was followed")
	}
	for len(log) > 0 {
		said += <-log
	}
	if strings.Contains(said, "pass-word") || strings.Contains(said, "query-key") {
		t.Errorf("the log says %s", said)
	}
}

// lines is a log, line by line.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}
