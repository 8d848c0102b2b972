package ssm

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"ouro/regex"
)

const (
	maxLabels      = 10 // of one version
	maxLabelLength = 100
)

var labelText = regex.New(`^[a-zA-Z_.\-][a-zA-Z0-9_.\-]*$`)

func validLabel(label string) bool {
	lower := strings.ToLower(label)
	return len(label) <= maxLabelLength && labelText().MatchString(label) && !strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}

// LabelParameterVersion puts labels on a version, the newest if none is named,
// and takes them from the version that has them. Labels that AWS would not
// take are told in the answer and not set.
func (s *Service) LabelParameterVersion(ctx context.Context, in *ssm.LabelParameterVersionInput) (*ssm.LabelParameterVersionOutput, error) {
	out := &ssm.LabelParameterVersionOutput{InvalidLabels: []string{}}
	var valid []string
	for _, l := range in.Labels {
		if validLabel(l) {
			valid = append(valid, l)
		} else {
			out.InvalidLabels = append(out.InvalidLabels, l)
		}
	}
	p, err := s.find(ctx, aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	out.ParameterVersion = p.Now.Number
	if in.ParameterVersion != nil {
		out.ParameterVersion = *in.ParameterVersion
	}
	return out, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		return s.label(ctx, p.Name, out.ParameterVersion, valid)
	})
}

func (s *Service) label(ctx context.Context, name string, to int64, labels []string) error {
	p, err := s.find(ctx, name)
	if err != nil {
		return err
	}
	versions, err := s.history(ctx, p)
	if err != nil {
		return err
	}
	found := false
	for _, v := range versions {
		before := len(v.Labels)
		v.Labels = slices.DeleteFunc(v.Labels, func(l string) bool { return slices.Contains(labels, l) })
		if v.Number == to {
			found = true
			v.Labels = append(v.Labels, labels...)
			if len(v.Labels) > maxLabels {
				return &types.ParameterVersionLabelLimitExceeded{Message: aws.String(fmt.Sprintf("A parameter version can have maximum %d labels. Move one or more labels to another version and try again.", maxLabels))}
			}
		} else if len(v.Labels) == before {
			continue
		}
		if err := s.keep(ctx, &p, v); err != nil {
			return err
		}
	}
	if !found {
		return noVersion("version %d of %s. Verify the version and try again.", to, name)
	}
	return nil
}

// UnlabelParameterVersion takes labels from a version, and tells which of them
// it did not have.
func (s *Service) UnlabelParameterVersion(ctx context.Context, in *ssm.UnlabelParameterVersionInput) (*ssm.UnlabelParameterVersionOutput, error) {
	out := &ssm.UnlabelParameterVersionOutput{InvalidLabels: []string{}, RemovedLabels: []string{}}
	return out, s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		p, err := s.find(ctx, aws.ToString(in.Name))
		if err != nil {
			return err
		}
		v, err := s.selected(ctx, p, strconv.FormatInt(aws.ToInt64(in.ParameterVersion), 10))
		if err != nil {
			return err
		}
		for _, l := range in.Labels {
			at := slices.Index(v.Labels, l)
			if at < 0 {
				out.InvalidLabels = append(out.InvalidLabels, l)
				continue
			}
			v.Labels = slices.Delete(v.Labels, at, at+1)
			out.RemovedLabels = append(out.RemovedLabels, l)
		}
		return s.keep(ctx, &p, v)
	})
}
