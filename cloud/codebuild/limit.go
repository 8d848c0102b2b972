package codebuild

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
)

// withinLimit refuses a build of a project whose limit of concurrent builds is
// reached, as AWS does: only what a batch or a retry starts waits in the queue
// (https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html).
// The function that it gives has to be called when the build has started. A
// request that its token shows to be repeated starts none.
func (s *Service) withinLimit(ctx context.Context, name string, token *string, request string) (done func(), err error) {
	caller := door.CallerFrom(ctx)
	p, err := s.projects.Get(ctx, caller.Scope(), name)
	if err != nil || p.Project.ConcurrentBuildLimit == nil {
		return func() {}, nil //nolint:nilerr // whether there is a project is not asked here
	}
	s.queue.starting.Lock()
	limit := int(*p.Project.ConcurrentBuildLimit)
	if s.inProgress(*p.Project.Arn) < limit {
		return s.queue.starting.Unlock, nil
	}
	s.queue.starting.Unlock()
	if earlier, err := s.earlier(ctx, caller, token, request); err != nil || earlier != "" {
		return func() {}, err
	}
	return nil, &types.AccountLimitExceededException{Message: aws.String(fmt.Sprintf("Cannot have more than %d active builds for the project", limit))}
}

// inProgress counts the builds of a project that are not complete.
func (s *Service) inProgress(projectARN string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.live {
		if rec := r.snapshot(); *rec.Project.Arn == projectARN && !rec.Build.BuildComplete {
			n++
		}
	}
	return n
}
