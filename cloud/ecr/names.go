package ecr

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ouro/cloud/door"
	"ouro/cloud/store"
	"ouro/regex"
)

var (
	repositoryPattern = regex.New(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern        = regex.New(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}$`)
	digestPattern     = regex.New(`^sha256:[0-9a-f]{64}$`)
	accountPattern    = regex.New(`^[0-9]{12}$`)
)

// repositoryNameOf reads a required name of a repository.
func repositoryNameOf(name *string) (string, error) {
	n := aws.ToString(name)
	if len(n) < 2 || len(n) > 256 {
		return "", badParameter("repositoryName", "must have length between 2 and 256")
	}
	if !repositoryPattern().MatchString(n) {
		return "", badParameter("repositoryName", "must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'")
	}
	return n, nil
}

// scopeOf is where the records of a registry are: the caller's own, unless the
// request names another.
func scopeOf(ctx context.Context, registryID *string) (store.Scope, error) {
	scope := door.CallerFrom(ctx).Scope()
	if id := aws.ToString(registryID); id != "" {
		if !accountPattern().MatchString(id) {
			return scope, badParameter("registryId", "must satisfy regular expression '[0-9]{12}'")
		}
		scope.Account = id
	}
	return scope, nil
}

// arnOf names a repository.
func arnOf(scope store.Scope, name string) string {
	return door.Caller{Account: scope.Account, Region: scope.Region}.ResourceARN("ecr", "repository/"+name)
}

// host is the local cloud's own host and port, where the registry is.
func (s *Service) registryHost() string {
	_, host, _ := strings.Cut(s.host.Endpoint(), "://")
	return host
}

// uri is where clients push a repository's images to.
func (s *Service) uri(name string) string { return s.registryHost() + "/" + name }

// page is how much of a list is wanted.
type page struct {
	after string
	size  int
}

const defaultPage, maxPage = 100, 1000

func pageOf(size *int32, token *string) (page, error) {
	p := page{size: defaultPage}
	if size != nil {
		if *size < 1 || *size > maxPage {
			return p, badParameter("maxResults", "must be between 1 and %d", maxPage)
		}
		p.size = int(*size)
	}
	if aws.ToString(token) != "" {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil || len(last) == 0 {
			return p, badParameter("nextToken", "is not one that an earlier page gave")
		}
		p.after = string(last)
	}
	return p, nil
}

// cut gives the part of a list, sorted by key, that the page shows, and the
// token of the rest.
func cut[T any](p page, list []T, key func(T) string) ([]T, *string) {
	shown := make([]T, 0, min(p.size, len(list)))
	for _, item := range list {
		if p.after != "" && key(item) <= p.after {
			continue
		}
		if len(shown) == p.size {
			return shown, aws.String(base64.RawURLEncoding.EncodeToString([]byte(key(shown[p.size-1]))))
		}
		shown = append(shown, item)
	}
	return shown, nil
}
