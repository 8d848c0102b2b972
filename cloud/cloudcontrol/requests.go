package cloudcontrol

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// request is a request that was done. Those that failed are answered with
// their error and not kept.
type request struct {
	Token            string
	Operation        types.Operation
	Type, Identifier string
	Time             time.Time
	Sum              string // of what was asked for
}

// kept is how long AWS tells of a request.
const kept = 7 * 24 * time.Hour

// Resume forgets the requests of which AWS would not tell any more.
func (s *Service) Resume(ctx context.Context) error {
	all, err := s.requests.All(ctx, store.Query{})
	if err != nil {
		return fmt.Errorf("reading old requests: %w", err)
	}
	for _, e := range all {
		if s.host.Now().Sub(e.Value.Time) < kept {
			continue
		}
		if err := s.requests.Delete(ctx, e.Scope, e.ID); err != nil {
			return fmt.Errorf("forgetting request %q: %w", e.ID, err)
		}
	}
	return nil
}

// begin describes a request. One with a client token has the same token
// whenever it is sent again.
func (s *Service) begin(caller door.Caller, op types.Operation, typeName string, clientToken *string, what string) request {
	req := request{Token: s.host.NewID(), Operation: op, Type: typeName, Time: s.host.Now(), Sum: digest(string(op) + "\n" + typeName + "\n" + what)}
	if given := aws.ToString(clientToken); given != "" {
		req.Token = uuid(digest(caller.Account + "/" + caller.Region + "/" + given))
	}
	return req
}

// once does a request, unless it was done already, and keeps it. do must
// decide before it writes.
func (s *Service) once(ctx context.Context, req request, do func(ctx context.Context) (resource, error)) (*types.ProgressEvent, error) {
	scope := door.CallerFrom(ctx).Scope()
	var r resource
	var before *types.ProgressEvent
	err := s.host.Store().Decided(ctx, func(ctx context.Context) error {
		done, err := s.requests.Get(ctx, scope, req.Token)
		if err == nil {
			if done.Sum != req.Sum {
				return &types.ClientTokenConflictException{Message: aws.String("The client token was used for another request")}
			}
			before, err = s.progress(ctx, done)
			return err
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if r, err = do(ctx); err != nil {
			return err
		}
		req.Identifier = r.Identifier
		return s.requests.Put(ctx, scope, req.Token, req)
	})
	if err != nil || before != nil {
		return before, err
	}
	return req.event(r)
}

// event tells of a request with the resource as it is then.
func (req request) event(r resource) (*types.ProgressEvent, error) {
	model, err := r.model()
	return &types.ProgressEvent{
		EventTime: aws.Time(req.Time), Identifier: aws.String(req.Identifier), Operation: req.Operation,
		OperationStatus: types.OperationStatusSuccess, RequestToken: aws.String(req.Token), ResourceModel: &model, TypeName: aws.String(req.Type),
	}, err
}

// progress tells of a request that was done before.
func (s *Service) progress(ctx context.Context, req request) (*types.ProgressEvent, error) {
	r, err := s.resources.Get(ctx, door.CallerFrom(ctx).Scope(), key(req.Type, req.Identifier))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	event, failed := req.event(r)
	if err != nil || req.Operation == types.OperationDelete {
		event.ResourceModel = nil
	}
	return event, failed
}

func (s *Service) request(ctx context.Context, token *string) (request, error) {
	req, err := s.requests.Get(ctx, door.CallerFrom(ctx).Scope(), aws.ToString(token))
	if errors.Is(err, store.ErrNotFound) {
		return req, &types.RequestTokenNotFoundException{Message: aws.String(fmt.Sprintf("Request with token %s was not found", aws.ToString(token)))}
	}
	return req, err
}

// GetResourceRequestStatus tells how far a request is.
func (s *Service) GetResourceRequestStatus(ctx context.Context, in *cloudcontrol.GetResourceRequestStatusInput) (*cloudcontrol.GetResourceRequestStatusOutput, error) {
	req, err := s.request(ctx, in.RequestToken)
	if err != nil {
		return nil, err
	}
	event, err := s.progress(ctx, req)
	return &cloudcontrol.GetResourceRequestStatusOutput{ProgressEvent: event}, err
}

// CancelResourceRequest ends a request under way. There never is one.
func (s *Service) CancelResourceRequest(ctx context.Context, in *cloudcontrol.CancelResourceRequestInput) (*cloudcontrol.CancelResourceRequestOutput, error) {
	req, err := s.request(ctx, in.RequestToken)
	if err != nil {
		return nil, err
	}
	return nil, validation("Only requests with a status of PENDING or IN_PROGRESS can be cancelled; request %s is SUCCESS", req.Token)
}

// ListResourceRequests tells of the requests of the last days, the newest
// first.
func (s *Service) ListResourceRequests(ctx context.Context, in *cloudcontrol.ListResourceRequestsInput) (*cloudcontrol.ListResourceRequestsOutput, error) {
	all, err := s.requests.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, fmt.Errorf("listing requests: %w", err)
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b store.Entry[request]) int {
		if c := b.Value.Time.Compare(a.Value.Time); c != 0 {
			return c
		}
		return cmp.Compare(a.ID, b.ID)
	})
	out := &cloudcontrol.ListResourceRequestsOutput{ResourceRequestStatusSummaries: []types.ProgressEvent{}}
	for _, e := range all {
		if after != "" { // the next page begins behind that request
			if e.ID == after {
				after = ""
			}
			continue
		}
		if s.host.Now().Sub(e.Value.Time) >= kept || !chosen(in.ResourceRequestStatusFilter, e.Value) {
			continue
		}
		if n := len(out.ResourceRequestStatusSummaries); n == pageSize(in.MaxResults) {
			out.NextToken = writeToken(*out.ResourceRequestStatusSummaries[n-1].RequestToken)
			break
		}
		req := e.Value
		out.ResourceRequestStatusSummaries = append(out.ResourceRequestStatusSummaries, types.ProgressEvent{
			EventTime: aws.Time(req.Time), Identifier: aws.String(req.Identifier), Operation: req.Operation,
			OperationStatus: types.OperationStatusSuccess, RequestToken: aws.String(req.Token), TypeName: aws.String(req.Type),
		})
	}
	return out, nil
}

func chosen(f *types.ResourceRequestStatusFilter, req request) bool {
	return f == nil || (len(f.Operations) == 0 || slices.Contains(f.Operations, req.Operation)) &&
		(len(f.OperationStatuses) == 0 || slices.Contains(f.OperationStatuses, types.OperationStatusSuccess))
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// uuid is 32 hexadecimal digits in the form of a UUID.
func uuid(digits string) string {
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:32]
}
