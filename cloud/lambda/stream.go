package lambda

import (
	"context"
	"io"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"ouro/cloud/lambda/runner"
	"ouro/cloud/wire"
)

// streamed is an invocation whose answer comes in pieces.
type streamed struct {
	ran    version
	began  bool          // there is an answer, or the beginning of one
	kind   string        // its content type
	body   io.Reader     // the pieces; ends with the invocation
	result runner.Result // valid when body has ended
	err    error
}

// startStream runs a function, and returns when its answer begins or when it
// has none. The caller reads the body to its end.
func (s *Service) startStream(ctx context.Context, q request) *streamed {
	r, w := io.Pipe()
	out := &streamed{body: r}
	begun := make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	q.stream = func(kind string) io.Writer {
		out.began, out.kind = true, kind
		begin()
		return w
	}
	go func() { // whoever reads the body waits for it
		out.ran, out.result, out.err = s.run(context.WithoutCancel(ctx), q)
		begin()
		w.Close()
	}()
	<-begun
	return out
}

// InvokeWithResponseStream runs a function and sends its answer as it comes.
func (s *Service) InvokeWithResponseStream(ctx context.Context, in *lambda.InvokeWithResponseStreamInput) (*lambda.InvokeWithResponseStreamOutput, wire.Stream, error) {
	var v violations
	among(&v, "invocationType", in.InvocationType, in.InvocationType.Values())
	among(&v, "logType", in.LogType, in.LogType.Values())
	if err := v.err(); err != nil {
		return nil, nil, err
	}
	q, err := s.readRequest(ctx, in.FunctionName, in.Qualifier, in.ClientContext, in.Payload)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.plan(ctx, q.target)
	if err != nil {
		return nil, nil, err
	}
	out := &lambda.InvokeWithResponseStreamOutput{StatusCode: 200, ExecutedVersion: p.version.Config.Version}
	if in.InvocationType == types.ResponseStreamingInvocationTypeDryRun {
		return out, func(func(string, any) error) {}, nil
	}
	answer := s.startStream(ctx, q)
	if !answer.began && answer.err != nil { // it never ran
		return nil, nil, answer.err
	}
	return out, func(send func(string, any) error) {
		piece := make([]byte, 64<<10)
		for {
			n, err := answer.body.Read(piece)
			if n > 0 && send("PayloadChunk", piece[:n]) != nil {
				break
			}
			if err != nil {
				break
			}
		}
		_, _ = io.Copy(io.Discard, answer.body) // the function ends, whether or not anybody listens
		end := types.InvokeWithResponseStreamCompleteEvent{}
		if answer.result.FunctionError != "" {
			end.ErrorCode, end.ErrorDetails = &answer.result.ErrorType, &answer.result.ErrorMessage
		}
		if in.LogType == types.LogTypeTail {
			end.LogResult = aws.String(tail(answer.result))
		}
		_ = send("InvokeComplete", end) // a client that is gone needs none
	}, nil
}
