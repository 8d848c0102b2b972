package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// agent does on one instance what AWS's agent does there, and keeps its files
// where that keeps them: revisions and logs below
// opt/codedeploy-agent/deployment-root of the instance's root folder.
type agent struct {
	service    *Service
	deployment deployment
	instance   instance
	name       string
	root       string
}

// kept is how many revisions of a group stay on an instance.
const kept = 5

func (a *agent) base() string {
	return filepath.Join(a.root, "opt", "codedeploy-agent", "deployment-root")
}

// folder is that of a deployment.
func (a *agent) folder(id string) string { return filepath.Join(a.base(), a.deployment.GroupID, id) }

func (a *agent) archive(id string) string { return filepath.Join(a.folder(id), "deployment-archive") }

// instructions is a file about the group.
func (a *agent) instructions(suffix string) string {
	return filepath.Join(a.base(), "deployment-instructions", a.deployment.GroupID+suffix)
}

const (
	lastSuccess = "_last_successful_install" // which holds the id of a deployment
	cleanup     = "-cleanup"                 // what the newest revision has put where
)

var success = &types.Diagnostics{ErrorCode: types.LifecycleErrorCodeSuccess, Message: aws.String("Succeeded"), ScriptName: aws.String(""), LogTail: aws.String("")}

// broken is what went wrong without a script, as a sentence.
func broken(err error) *types.Diagnostics {
	text := err.Error()
	text = strings.ToUpper(text[:1]) + text[1:]
	return &types.Diagnostics{ErrorCode: types.LifecycleErrorCodeUnknownError, Message: &text, ScriptName: aws.String(""), LogTail: aws.String("")}
}

// run runs one event of the lifecycle.
func (a *agent) run(ctx context.Context, event string) *types.Diagnostics {
	var err error
	switch event {
	case "ApplicationStop":
		return a.stopFormer(ctx)
	case "DownloadBundle":
		err = a.download(ctx)
	case "Install":
		err = a.install(ctx)
	default:
		spec, readErr := readAppspec(a.archive(a.deployment.id()))
		if readErr == nil {
			return a.scripts(ctx, event, a.deployment.id(), spec)
		}
		err = readErr
	}
	if err != nil {
		return broken(err)
	}
	return success
}

// stopFormer runs ApplicationStop of the revision that was deployed last.
func (a *agent) stopFormer(ctx context.Context) *types.Diagnostics {
	id, err := os.ReadFile(a.instructions(lastSuccess))
	if errors.Is(err, fs.ErrNotExist) {
		return success // nothing was deployed before
	}
	former := strings.TrimSpace(string(id))
	if err != nil || !deploymentPattern().MatchString(former) {
		return broken(fmt.Errorf("finding the revision that was deployed last: %w", errors.Join(err, fmt.Errorf("%q is no deployment", former))))
	}
	var d *types.Diagnostics
	if spec, err := readAppspec(a.archive(former)); err != nil {
		d = broken(err)
	} else {
		d = a.scripts(ctx, "ApplicationStop", former, spec)
	}
	if d.ErrorCode != types.LifecycleErrorCodeSuccess && a.deployment.Info.IgnoreApplicationStopFailures && ctx.Err() == nil {
		return success
	}
	return d
}

// settle makes the revision the one that was deployed last, and deletes those
// that are too many.
func (a *agent) settle(ctx context.Context) error {
	id := a.deployment.id()
	if err := os.WriteFile(a.instructions(lastSuccess), []byte(id+"\n"), 0o644); err != nil {
		return err
	}
	_, err := a.service.instances.Update(ctx, a.deployment.scope(), a.name, func(i *instance) error {
		if i.Last == nil {
			i.Last = map[string]string{}
		}
		i.Last[a.deployment.GroupID] = revisionKey("", *a.deployment.Info.Revision)
		return nil
	})
	return errors.Join(err, a.tidy(id))
}

func (a *agent) tidy(newest string) error {
	entries, err := os.ReadDir(filepath.Dir(a.folder(newest)))
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(x, y fs.DirEntry) int {
		older, errX := x.Info()
		newer, errY := y.Info()
		if errX != nil || errY != nil {
			return 0
		}
		return newer.ModTime().Compare(older.ModTime())
	})
	for i, e := range entries {
		if i >= kept && e.Name() != newest {
			err = errors.Join(err, os.RemoveAll(a.folder(e.Name())))
		}
	}
	return err
}
