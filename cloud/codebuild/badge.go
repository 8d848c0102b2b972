package codebuild

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// badgePath is where the badges of projects are. No bucket is called so.
const badgePath = "/_codebuild/badges"

// badge is the project's badge as it is answered. Whoever has its URL may see
// it; on the local cloud it is no secret.
func (s *Service) badge(caller door.Caller, p *types.Project) *types.ProjectBadge {
	if p.Badge == nil || !p.Badge.BadgeEnabled {
		return &types.ProjectBadge{}
	}
	id := base64.RawURLEncoding.EncodeToString([]byte(caller.Account + "/" + caller.Region + "/" + *p.Name))
	return &types.ProjectBadge{BadgeEnabled: true, BadgeRequestUrl: aws.String(s.host.Endpoint() + badgePath + "?uuid=" + id + "&branch=" + badgeBranch(p))}
}

// badgeBranch is the branch that the URL asks for if nobody changes it.
func badgeBranch(p *types.Project) string {
	if v := aws.ToString(p.SourceVersion); v != "" && !hexadecimal().MatchString(v) {
		return strings.TrimPrefix(v, branches)
	}
	return "main"
}

// badgeColours are the colours of a build's status.
var badgeColours = map[string]string{"passing": "#3fb950", "failing": "#e5534b", "in progress": "#2f81f7", "unknown": "#8b949e"}

// serveBadge draws how the newest build of the branch went.
func (s *Service) serveBadge(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	text, err := base64.RawURLEncoding.DecodeString(query.Get("uuid"))
	parts := strings.Split(string(text), "/")
	if err != nil || len(parts) != 3 {
		http.NotFound(w, r)
		return
	}
	word, err := s.badgeWord(r.Context(), door.Caller{Account: parts[0], Region: parts[1]}, parts[2], query.Get("branch"))
	if errors.Is(err, store.ErrNotFound) {
		http.NotFound(w, r)
		return
	} else if err != nil {
		s.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-cache")
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="130" height="20" font-family="sans-serif" font-size="11" fill="#fff">`+
		`<rect width="50" height="20" fill="#444c56"/><rect x="50" width="80" height="20" fill="%s"/><text x="8" y="14">build</text><text x="58" y="14">%s</text></svg>`,
		badgeColours[word], word)
}

// badgeWord says how the newest build of a branch went. A build belongs to the
// branch that its webhook event or its source version names.
func (s *Service) badgeWord(ctx context.Context, caller door.Caller, name, branch string) (string, error) {
	p, err := s.projects.Get(ctx, caller.Scope(), name)
	if err != nil {
		return "", err
	}
	if !p.Project.Badge.BadgeEnabled {
		return "", store.ErrNotFound
	}
	newest, err := s.history.List(ctx, caller.Scope(), store.Query{Prefix: historyPrefix(name), Limit: pageSize})
	if err != nil {
		return "", err
	}
	ctx = door.WithCaller(ctx, caller)
	for _, id := range values(newest) {
		rec, err := s.build(ctx, id)
		if err != nil {
			return "", err
		}
		if rec.isOf(branch) {
			return badgeWords(&rec.Build), nil
		}
	}
	return "unknown", nil
}

func (rec *record) isOf(branch string) bool {
	if rec.Origin != nil {
		return rec.Origin.Event == eventPush && rec.Origin.HeadRef == branches+branch
	}
	v := strings.TrimPrefix(aws.ToString(rec.Build.SourceVersion), branches)
	return v == branch || v == "" && branch == badgeBranch(&rec.Project)
}

func badgeWords(b *types.Build) string {
	switch b.BuildStatus {
	case types.StatusTypeSucceeded:
		return "passing"
	case types.StatusTypeInProgress:
		return "in progress"
	case types.StatusTypeStopped:
		return "unknown"
	}
	return "failing"
}
