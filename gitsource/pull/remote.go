package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"

	"ouro/gitsource"
)

// remote is a repository on its server, for one question.
type remote interface {
	// refs is what the server has, as it says by itself.
	refs(ctx context.Context) (io.Reader, error)
	// ask sends what git-upload-pack is to be asked, and gives its answer.
	ask(ctx context.Context, question []byte) (io.Reader, error)
	close()
}

// dial reaches the repository of that name.
func (p *Puller) dial(ctx context.Context, repository string, silence *gitsource.Silence) (remote, error) {
	at, err := p.Provider.Remote(repository)
	if err != nil {
		return nil, err
	}
	if p.Key != nil {
		return p.dialSSH(ctx, at, "git-upload-pack", "", silence)
	}
	return &https{p: p, at: at, silence: silence}, nil
}

// maxRefs is how many bytes the list of a server's branches and tags may have.
const maxRefs = 128 << 20

// request asks for a commit alone, if the server gives commits by their hashes, or
// else for the branch or tag with all its history.
func request(said *packp.AdvRefs, commit plumbing.Hash, ref plumbing.ReferenceName, tips []plumbing.Hash) (*packp.UploadPackRequest, error) {
	r := packp.NewUploadPackRequest()
	for _, c := range []capability.Capability{capability.OFSDelta, capability.Sideband64k, capability.NoProgress} {
		if said.Capabilities.Supports(c) {
			if err := r.Capabilities.Set(c); err != nil {
				return nil, err
			}
		}
	}
	if err := r.Capabilities.Set(capability.Agent, "ouro"); err != nil {
		return nil, err
	}
	byHash := said.Capabilities.Supports(capability.AllowReachableSHA1InWant) || said.Capabilities.Supports(capability.AllowTipSHA1InWant)
	for _, there := range said.References {
		byHash = byHash || there == commit
	}
	if byHash && said.Capabilities.Supports(capability.Shallow) {
		r.Wants, r.Depth = []plumbing.Hash{commit}, packp.DepthCommits(1)
		if err := r.Capabilities.Set(capability.Shallow); err != nil || len(tips) == 0 {
			return r, err
		}
		r.Shallows, r.Haves = tips, tips
		// Only with it the server leaves out what the commits that we have have: they
		// are not connected with the one that we want.
		return r, r.Capabilities.Set(capability.ThinPack)
	}
	for name, there := range said.References {
		if ref == "" || name == ref.String() {
			r.Wants = append(r.Wants, there)
		}
	}
	if len(r.Wants) == 0 {
		return nil, fmt.Errorf("the server has no %s any more", ref.Short())
	}
	return r, nil
}

// question is the request as it is sent. Over HTTPS, a flush before the end would be
// the end.
func question(r *packp.UploadPackRequest) ([]byte, error) {
	var b strings.Builder
	err := r.UploadRequest.Encode(&b)
	if err == nil {
		err = r.UploadHaves.Encode(&b, false)
	}
	if err == nil {
		err = pktline.NewEncoder(&b).Encodef("done\n")
	}
	return []byte(b.String()), err
}

// pack is the pack that the server answers with.
func pack(ctx context.Context, r remote, asked *packp.UploadPackRequest) (io.Reader, error) {
	q, err := question(asked)
	if err != nil {
		return nil, err
	}
	said, err := r.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	answer := packp.NewUploadPackResponse(asked)
	if err := answer.Decode(io.NopCloser(said)); err != nil {
		if l := (*pktline.ErrorLine)(nil); errors.As(err, &l) && strings.Contains(l.Text, "not our ref") {
			return nil, errors.New("the server does not have the commit, or not any more: the branch was pushed over, which another event tells of")
		}
		return nil, told("asking for the commit", err)
	}
	if !asked.Capabilities.Supports(capability.Sideband64k) {
		return answer, nil
	}
	return sideband.NewDemuxer(sideband.Sideband64k, answer), nil
}

// told is an error that may have a text of the server's in it.
func told(what string, err error) error {
	if l := (*pktline.ErrorLine)(nil); errors.As(err, &l) {
		return fmt.Errorf("%s: the server says %q", what, l.Text[:min(len(l.Text), maxSaid)])
	}
	return fmt.Errorf("%s: %w", what, err)
}

// maxSaid is how many bytes of what a server says go into an error.
const maxSaid = 500

// hostPort is the host, with the port.
func hostPort(host, port string) string {
	u := url.URL{Host: host}
	if u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(u.Hostname(), port)
}
