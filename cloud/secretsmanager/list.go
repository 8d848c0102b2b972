package secretsmanager

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// ListSecrets lists secrets, oldest first unless asked otherwise; those that
// are being deleted only with IncludePlannedDeletion.
func (s *Service) ListSecrets(ctx context.Context, in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
	if err := checkFilters(in.Filters); err != nil {
		return nil, err
	}
	entries, err := s.secrets.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{})
	if err != nil {
		return nil, err
	}
	var found []secret
	for _, e := range entries {
		shown := e.Value.Deletion.IsZero() || aws.ToBool(in.IncludePlannedDeletion)
		if shown && s.alive(e.Value) && accepted(e.Value, in.Filters) {
			found = append(found, e.Value)
		}
	}
	slices.SortStableFunc(found, order(in.SortBy, in.SortOrder))
	found, next, err := page(found, func(of secret) string { return of.Name }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretsOutput{SecretList: []types.SecretListEntry{}, NextToken: next}
	for _, of := range found {
		out.SecretList = append(out.SecretList, types.SecretListEntry{
			ARN: aws.String(of.ARN), Name: aws.String(of.Name), Description: optional(of.Description),
			KmsKeyId: optional(of.KMSKeyID), CreatedDate: aws.Time(of.Created), LastChangedDate: aws.Time(of.Changed),
			DeletedDate: dateOrNil(of.Deletion), Tags: of.tags(), SecretVersionsToStages: of.labelled(),
		})
	}
	return out, nil
}

func order(by types.SortByType, direction types.SortOrderType) func(a, b secret) int {
	compare := func(a, b secret) int { return a.Created.Compare(b.Created) }
	switch by {
	case types.SortByTypeName:
		compare = func(a, b secret) int { return cmp.Compare(a.Name, b.Name) }
	case types.SortByTypeLastChangedDate:
		compare = func(a, b secret) int { return a.Changed.Compare(b.Changed) }
	}
	if direction == types.SortOrderTypeDesc {
		return func(a, b secret) int { return compare(b, a) }
	}
	return compare
}

// page cuts to at most limit the items that come after the one that token, a
// name that an earlier page gave out, stands for.
func page[T any](items []T, name func(T) string, token *string, limit *int32) ([]T, *string, error) {
	if aws.ToString(token) != "" {
		after, err := base64.RawURLEncoding.DecodeString(*token)
		at := slices.IndexFunc(items, func(item T) bool { return name(item) == string(after) })
		if err != nil || at < 0 {
			return nil, nil, &types.InvalidNextTokenException{Message: aws.String("The token is not valid.")}
		}
		items = items[at+1:]
	}
	most := 100
	if n := aws.ToInt32(limit); n > 0 && int(n) < most {
		most = int(n)
	}
	if len(items) <= most {
		return items, nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte(name(items[most-1])))
	return items[:most], &next, nil
}

func checkFilters(filters []types.Filter) error {
	for _, f := range filters {
		if !slices.Contains(f.Key.Values(), f.Key) {
			return invalid("1 validation error detected: Value '%s' at 'filters.1.member.key' failed to satisfy constraint: Member must satisfy enum value set: %v", f.Key, f.Key.Values())
		}
		if len(f.Values) == 0 {
			return invalid("Invalid filter values for key: %s", f.Key)
		}
	}
	return nil
}

// accepted says whether a secret satisfies all filters. A filter's values are
// alternatives; an exclamation mark before one negates it.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
func accepted(of secret, filters []types.Filter) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(f.Values, func(want string) bool {
			bare, negated := strings.CutPrefix(want, "!")
			return of.has(f.Key, bare) != negated
		}) {
			return false
		}
	}
	return true
}

// has says whether what a filter's key stands for begins with want.
func (of secret) has(key types.FilterNameStringType, want string) bool {
	begins := func(s string) bool { return strings.HasPrefix(s, want) }
	switch key {
	case types.FilterNameStringTypeName:
		return begins(of.Name)
	case types.FilterNameStringTypeDescription:
		return strings.HasPrefix(strings.ToLower(of.Description), strings.ToLower(want))
	case types.FilterNameStringTypeTagKey:
		return slices.ContainsFunc(sortedKeys(of.Tags), begins)
	case types.FilterNameStringTypeTagValue:
		return slices.ContainsFunc(of.tags(), func(t types.Tag) bool { return begins(*t.Value) })
	case types.FilterNameStringTypeAll:
		return of.mentions(want)
	}
	return false // replicas and secrets of other services are not there
}

// mentions looks for every word of text in name, description and tags, and
// does not mind the case.
func (of secret) mentions(text string) bool {
	all := strings.ToLower(of.Name + "\n" + of.Description)
	for _, t := range of.tags() {
		all += "\n" + strings.ToLower(*t.Key+"\n"+*t.Value)
	}
	for _, word := range strings.Fields(strings.ToLower(text)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}
