package layer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Pruned is what Prune did.
type Pruned struct {
	Deleted []int64            `json:"deleted"`
	InUse   map[int64][]string `json:"inUse,omitempty"` // older ones, and what uses them: functions, or the parameter of the newest
}

// Prune deletes the versions of a layer but for the newest ones, as many as
// keep says, and those that a function of the account uses. The one that the
// parameter names stays, too: a deployment that was taken back leaves a newer one
// beside it. Whether functions of other accounts use one cannot be known; they
// run on without it, and cannot be updated with it any more.
func Prune(ctx context.Context, c *Clients, name string, keep int) (*Pruned, error) {
	doomed, err := Prunable(ctx, c, name, keep)
	if err != nil {
		return nil, err
	}
	for _, version := range doomed.Deleted {
		if err := DeleteVersion(ctx, c, name, version); err != nil {
			return nil, err
		}
	}
	return doomed, nil
}

// Prunable tells what Prune would do.
func Prunable(ctx context.Context, c *Clients, name string, keep int) (*Pruned, error) {
	if keep < 1 {
		return nil, errors.New("at least the newest version is kept")
	}
	versions, err := Versions(ctx, c, name)
	if err != nil {
		return nil, err
	}
	p := &Pruned{Deleted: []int64{}}
	if len(versions) <= keep {
		return p, nil
	}
	used, err := c.uses(ctx)
	if err != nil {
		return nil, err
	}
	latest, err := c.parameter(ctx, LatestParameter(name))
	if err != nil {
		return nil, err
	}
	used[latest] = append(used[latest], LatestParameter(name))
	for _, v := range versions[keep:] {
		if by := used[v.ARN]; len(by) > 0 {
			if p.InUse == nil {
				p.InUse = map[int64][]string{}
			}
			p.InUse[v.Version] = by
			continue
		}
		p.Deleted = append(p.Deleted, v.Version)
	}
	slices.Sort(p.Deleted)
	return p, nil
}

// DeleteVersion deletes the parameter that tells of a version, and the version:
// in this order, since one whose version is gone would never be found again. One
// that is not there is no error.
func DeleteVersion(ctx context.Context, c *Clients, name string, version int64) error {
	if err := c.deleteParameter(ctx, VersionParameter(name, version)); err != nil {
		return err
	}
	return c.deleteVersion(ctx, name, version)
}

func (c *Clients) deleteVersion(ctx context.Context, name string, version int64) error {
	if _, err := c.Functions.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: &name, VersionNumber: &version}); err != nil && !missing(err) {
		return fmt.Errorf("deleting version %d of layer %q: %w", version, name, err)
	}
	return nil
}

func (c *Clients) deleteParameter(ctx context.Context, name string) error {
	_, err := c.Parameters.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &name})
	if none := (*ssmtypes.ParameterNotFound)(nil); err != nil && !errors.As(err, &none) {
		return fmt.Errorf("deleting parameter %q: %w", name, err)
	}
	return nil
}

// Withdraw takes the versions of a layer away from whom they are shared with no
// longer: who names the accounts and organizations that may stay. Stacks only
// add permissions, since a newer version is to leave older ones as they are.
func Withdraw(ctx context.Context, c *Clients, name string, who []string) (withdrawn []string, err error) {
	versions, err := Versions(ctx, c, name)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		shares, err := c.shares(ctx, name, v.Version)
		if err != nil {
			return withdrawn, err
		}
		for _, s := range shares {
			if slices.Contains(who, s.who) {
				continue
			}
			_, err := c.Functions.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{LayerName: &name, VersionNumber: &v.Version, StatementId: &s.statement})
			if err != nil && !missing(err) {
				return withdrawn, fmt.Errorf("taking version %d of layer %q from %s: %w", v.Version, name, s.who, err)
			}
			withdrawn = append(withdrawn, fmt.Sprintf("%d from %s", v.Version, s.who))
		}
	}
	return withdrawn, nil
}
