package wire

import (
	"fmt"
	"net/http"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// Stream is the event stream of a REST operation whose answer has one. The
// SDK's outputs hold theirs where only a client can put it; so such an
// operation is a method with another result:
//
//	func (s *Service) InvokeWithResponseStream(context.Context, *lambda.InvokeWithResponseStreamInput) (*lambda.InvokeWithResponseStreamOutput, wire.Stream, error)
//
// The output's headers are sent first; then the stream is called, and sends
// its events. An event is bytes, or a struct of the SDK's. What send returns is
// that the client has gone.
type Stream func(send func(event string, payload any) error)

var streamType = reflect.TypeFor[Stream]()

// sendStream writes an output's headers and then its events, each at once.
func (s *Server) sendStream(w http.ResponseWriter, out reflect.Value, stream Stream) error {
	for _, f := range s.plan(out.Type()).fields {
		if value := out.Field(f.index); f.In == "header" && !isEmpty(value) {
			if err := setHeader(w.Header(), f, value); err != nil {
				return err
			}
		}
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.WriteHeader(http.StatusOK)
	encoder, flush := eventstream.NewEncoder(), http.NewResponseController(w).Flush
	stream(func(event string, payload any) error {
		m := eventstream.Message{Headers: eventstream.Headers{
			{Name: ":message-type", Value: eventstream.StringValue("event")},
			{Name: ":event-type", Value: eventstream.StringValue(event)},
		}}
		contentType := "application/octet-stream"
		if b, ok := payload.([]byte); ok {
			m.Payload = b
		} else {
			b, err := s.appendJSON(nil, reflect.ValueOf(payload))
			if err != nil {
				return fmt.Errorf("encoding the event %s: %w", event, err)
			}
			m.Payload, contentType = b, "application/json"
		}
		m.Headers.Set(":content-type", eventstream.StringValue(contentType))
		if err := encoder.Encode(w, m); err != nil {
			return err
		}
		_ = flush() // where it cannot be, as inside the process, it comes later
		return nil
	})
	return nil
}
