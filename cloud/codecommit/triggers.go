package codecommit

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
)

// maxTriggers is how many triggers a repository can have.
const maxTriggers = 10

// PutRepositoryTriggers replaces all triggers of a repository. They are kept,
// and do not fire.
func (s *Service) PutRepositoryTriggers(ctx context.Context, in *codecommit.PutRepositoryTriggersInput) (*codecommit.PutRepositoryTriggersOutput, error) {
	if in.Triggers == nil {
		return nil, &types.RepositoryTriggersListRequiredException{Message: aws.String("A list of triggers is required.")}
	}
	if len(in.Triggers) > maxTriggers {
		return nil, &types.MaximumRepositoryTriggersExceededException{Message: aws.String("A repository can have at most 10 triggers.")}
	}
	for _, t := range in.Triggers {
		if err := checkTrigger(t); err != nil {
			return nil, err
		}
	}
	r, err := s.change(ctx, in.RepositoryName, func(r *repository) {
		r.Triggers, r.TriggersID = in.Triggers, s.host.NewID()
	})
	if err != nil {
		return nil, err
	}
	return &codecommit.PutRepositoryTriggersOutput{ConfigurationId: aws.String(r.TriggersID)}, nil
}

func checkTrigger(t types.RepositoryTrigger) error {
	switch {
	case aws.ToString(t.Name) == "":
		return &types.RepositoryTriggerNameRequiredException{Message: aws.String("A trigger needs a name.")}
	case aws.ToString(t.DestinationArn) == "":
		return &types.RepositoryTriggerDestinationArnRequiredException{Message: aws.String("The trigger " + *t.Name + " needs a destination.")}
	case len(t.Events) == 0:
		return &types.RepositoryTriggerEventsListRequiredException{Message: aws.String("The trigger " + *t.Name + " needs events.")}
	}
	return nil
}

// GetRepositoryTriggers gives the triggers of a repository.
func (s *Service) GetRepositoryTriggers(ctx context.Context, in *codecommit.GetRepositoryTriggersInput) (*codecommit.GetRepositoryTriggersOutput, error) {
	r, err := s.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &codecommit.GetRepositoryTriggersOutput{Triggers: append([]types.RepositoryTrigger{}, r.Triggers...)}
	if r.TriggersID != "" {
		out.ConfigurationId = aws.String(r.TriggersID)
	}
	return out, nil
}
