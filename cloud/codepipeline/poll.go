package codepipeline

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithy "github.com/aws/smithy-go"
)

// pollEvery is how often polled sources are asked for their newest revision. On
// AWS it is about a minute.
const pollEvery = time.Second

// pollPatience is how long a source may take to answer. The others wait
// meanwhile.
const pollPatience = 10 * time.Second

// watch is a source action that is polled.
type watch struct {
	action string
	roles  []string // the pipeline's, and the action's if it has one
	config map[string]string
	tip    func(ctx context.Context, cfg aws.Config, config map[string]string) (string, error)
}

// tips are how the newest revision of a source is found, by provider.
var tips = map[string]func(ctx context.Context, cfg aws.Config, config map[string]string) (string, error){
	"CodeCommit": codeCommitTip,
	"S3":         s3Tip,
}

// poller asks the polled sources of all pipelines. It has one goroutine, which
// lives while there is something to ask.
type poller struct {
	service  *Service
	patience time.Duration // pollPatience
	mu       sync.Mutex
	watched  map[lineKey][]watch
	busy     bool
}

// watch makes the poller ask the polled sources of the plan instead of those
// that it has asked for that pipeline. A nil plan has none.
func (p *poller) watch(key lineKey, now *plan) {
	list := p.watches(key, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watched, key)
	if len(list) == 0 {
		return
	}
	p.watched[key] = list
	if !p.busy {
		p.busy = true
		p.service.host.Go("codepipeline polling of sources", p.run)
	}
}

func (p *poller) watches(key lineKey, now *plan) []watch {
	if now == nil {
		return nil
	}
	var list []watch
	for _, a := range now.sources() {
		tip := tips[aws.ToString(a.ActionTypeId.Provider)]
		if aws.ToString(a.ActionTypeId.Provider) == "GitHub" {
			tip = (&gitHubTips{service: p.service, key: key, stage: now.stages[0].name, action: aws.ToString(a.Name)}).tip
		}
		if tip == nil || strings.EqualFold(a.Configuration["PollForSourceChanges"], "false") {
			continue
		}
		w := watch{action: aws.ToString(a.Name), config: a.Configuration, tip: tip, roles: []string{aws.ToString(now.definition.RoleArn)}}
		if role := aws.ToString(a.RoleArn); role != "" {
			w.roles = append(w.roles, role)
		}
		list = append(list, w)
	}
	return list
}

func (p *poller) run(ctx context.Context) {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	roles := map[string]aws.Config{} // kept, so that not every tick assumes them anew
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		p.mu.Lock()
		p.busy = len(p.watched) > 0
		going := p.busy
		round := make(map[lineKey][]watch, len(p.watched))
		for key, list := range p.watched {
			round[key] = list
		}
		p.mu.Unlock()
		if !going {
			return
		}
		for key, list := range round {
			if err := p.service.look(ctx, key, list, roles); err != nil && ctx.Err() == nil {
				p.service.host.Log().Debug("polling sources", "pipeline", key.name, "error", err)
			}
		}
	}
}

// look starts the pipeline if a source has a revision that was not seen before.
func (s *Service) look(ctx context.Context, key lineKey, list []watch, roles map[string]aws.Config) error {
	var errs []error
	for _, w := range list {
		as := key.scope.Account + "/" + key.scope.Region + "/" + strings.Join(w.roles, "/")
		cfg, ok := roles[as]
		if !ok {
			cfg = s.host.Assume(self(key.scope, ""), w.roles[0], sessionName(key.name))
			for _, role := range w.roles[1:] {
				cfg = chain(cfg, role, sessionName(key.name))
			}
			roles[as] = cfg
		}
		asking, done := context.WithTimeout(ctx, s.poll.patience)
		tip, err := w.tip(asking, cfg, w.config)
		done()
		if err == nil && tip != "" {
			err = s.seen(ctx, key, w, tip)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// errSeen leaves a pipeline as it is.
var errSeen = errors.New("nothing new")

// seen starts the pipeline if the revision is new. While an execution is in the
// first stage or waits for it nothing is decided: it will take the newest
// revision by itself.
func (s *Service) seen(ctx context.Context, key lineKey, w watch, tip string) error {
	p, err := s.pipelines.Get(ctx, key.scope, key.name)
	if err != nil || p.Sources[w.action] == tip {
		return nil //nolint:nilerr // deleted meanwhile
	}
	err = s.turn(ctx, key.scope, key.name, func(t *turn) error {
		first := t.pipe.stage(t.plan.stages[0].name)
		if t.pipe.Sources[w.action] == tip || len(first.Running) > 0 || len(first.Inbound) > 0 {
			return errSeen
		}
		if err := t.checkRoom(); err != nil {
			return err // and look again
		}
		t.pipe.saw(w.action, tip)
		t.begin(types.TriggerTypePollForSourceChanges, w.action, nil, nil)
		return nil
	})
	if errors.Is(err, errSeen) || errors.Is(err, errNoPipeline) {
		return nil
	}
	return err
}

// codeCommitTip is the newest commit of a branch, or "" if there is none.
func codeCommitTip(ctx context.Context, cfg aws.Config, config map[string]string) (string, error) {
	out, err := codecommit.NewFromConfig(cfg).GetBranch(ctx, &codecommit.GetBranchInput{
		RepositoryName: aws.String(config["RepositoryName"]), BranchName: aws.String(config["BranchName"]),
	})
	var noBranch *cctypes.BranchDoesNotExistException
	if errors.As(err, &noBranch) {
		return "", nil
	}
	if err != nil || out.Branch == nil {
		return "", err
	}
	return aws.ToString(out.Branch.CommitId), nil
}

// s3Tip is the newest version of an object, or "" if there is none.
func s3Tip(ctx context.Context, cfg aws.Config, config map[string]string) (string, error) {
	out, err := s3.NewFromConfig(cfg).HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(config["S3Bucket"]), Key: aws.String(config["S3ObjectKey"]),
	})
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "NotFound" || api.ErrorCode() == "NoSuchKey") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if v := aws.ToString(out.VersionId); v != "null" {
		return v, nil
	}
	return "", nil
}
