package codepipeline

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ouro/cloud/door"
)

// job is an action as its runner sees it.
type job struct {
	service   *Service
	key       lineKey
	recordK   string
	record    action
	kind      *kind
	arn       string      // of the pipeline
	role      string      // of the pipeline
	caller    door.Caller // the service, in the action's region
	config    map[string]string
	store     *types.ArtifactStore // of the action's region
	as        aws.Config           // calls made as the action's role
	byPipe    aws.Config           // calls made as the pipeline's role
	execution execution            // as it was when the action started
}

func newJob(s *Service, key lineKey, recordKey string, record action, p *plan, run execution, k *kind) *job {
	j := &job{
		service: s, key: key, recordK: recordKey, record: record, config: record.Resolved, execution: run,
		kind:   k,
		arn:    self(key.scope, "").ResourceARN("codepipeline", key.name),
		role:   aws.ToString(p.definition.RoleArn),
		caller: self(key.scope, aws.ToString(record.Declaration.Region)),
	}
	j.store = p.artifactStore(j.caller.Region)
	j.byPipe = s.host.Assume(j.caller, j.role, sessionName(key.name))
	j.as = j.byPipe
	if role := aws.ToString(record.Declaration.RoleArn); role != "" {
		j.as = chain(j.byPipe, role, sessionName(key.name))
	}
	return j
}

// chain gives a configuration that calls as a role which the former role
// assumes, as CodePipeline does for the role of an action.
func chain(from aws.Config, role, session string) aws.Config {
	to := from.Copy()
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(from), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = session
	})
	to.Credentials = aws.NewCredentialsCache(provider)
	return to
}

// sessionName is what sessions of a pipeline's role are called; names of
// sessions have at most 64 characters.
func sessionName(pipeline string) string { return cut("codepipeline-"+pipeline, 64) }

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// save changes the action's record while it runs: what must be known after a
// crash, or shown before the end.
func (j *job) save(ctx context.Context, change func(a *action)) error {
	return j.service.turn(context.WithoutCancel(ctx), j.key.scope, j.key.name, func(t *turn) error {
		a := t.actions[j.recordK]
		if a == nil || a.ID != j.record.ID || a.Status != types.ActionExecutionStatusInProgress {
			return context.Canceled // it was let go
		}
		a.Updated = t.now
		change(a)
		j.record = *a
		return nil
	})
}

// started keeps the id of what the action has started in another service.
func (j *job) started(ctx context.Context, id, url string) error {
	return j.save(ctx, func(a *action) { a.ExternalID, a.ExternalURL = id, url })
}

// option is a configuration with a default.
func (j *job) option(name, otherwise string) string { return cmp.Or(j.config[name], otherwise) }

// isTrue tells whether a configuration says yes.
func (j *job) isTrue(name string) bool { return strings.EqualFold(j.config[name], "true") }

// need is a configuration that must be there.
func (j *job) need(name string) (string, error) {
	if v := j.config[name]; v != "" {
		return v, nil
	}
	return "", failed(types.FailureTypeConfigurationError, "Action configuration for action '%s' is missing required configuration '%s'", j.record.Name, name)
}

// input is the input artifact of that name.
func (j *job) input(name string) (artifact, error) {
	for _, in := range j.record.Inputs {
		if in.Name == name {
			return in, nil
		}
	}
	return artifact{}, failed(types.FailureTypeConfigurationError, "the action %q has no input artifact %q", j.record.Name, name)
}

// absent says that the local cloud has no such service, if that is what the
// call's error means; other errors are given back as they are.
func absent(err error, service string) error {
	var answer interface{ HTTPStatusCode() int }
	if errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotImplemented {
		return failed(types.FailureTypeConfigurationError, "the local cloud has no %s, which this action needs", service)
	}
	return err
}
