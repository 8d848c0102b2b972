package pull

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
)

const modulesFile = ".gitmodules"

// submodules are the addresses of a commit's submodules, by their paths.
func (s *source) submodules(tree plumbing.Hash) (map[string]string, error) {
	list, err := s.clone.entries(tree)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if e.name == modulesFile && e.mode.IsRegular() {
			_, body, err := s.clone.read(e.hash)
			if err != nil {
				return nil, err
			}
			said := config.NewModules()
			if err := said.Unmarshal(body); err != nil {
				return nil, permanent("reading %s: %w", modulesFile, err)
			}
			found := map[string]string{}
			for _, m := range said.Submodules {
				found[m.Path] = m.URL
			}
			return found, nil
		}
	}
	return nil, nil
}

// submodule packs a commit of another repository.
func (s *source) submodule(ctx context.Context, name, at string, e entry) error {
	switch {
	case s.p.Submodules == Leave:
		return nil
	case s.p.Submodules == Refuse:
		return permanent("%q is a submodule: choose whether submodules are fetched or left out", name)
	case s.depth >= s.p.Limits.Depth:
		return permanent("%q is a submodule in more than %d others", name, s.p.Limits.Depth)
	}
	address, ok := s.modules[at]
	if !ok {
		return permanent("%q is a submodule of which %s says nothing", name, modulesFile)
	}
	repository, ok := s.sibling(address)
	if !ok {
		return permanent("the submodule %q is at %q, which is not at the provider's host %s: only what is there is fetched", name, address, s.p.Provider.Host)
	}
	return s.packing.repository(ctx, repository, e.hash.String(), "", name, s.depth+1)
}

// sibling is the repository of that address, if the provider has it: our key and
// token are for nobody else. Whatever the address, it is fetched as this one is.
func (s *source) sibling(address string) (repository string, ok bool) {
	if strings.HasPrefix(address, "./") || strings.HasPrefix(address, "../") {
		repository = path.Join(s.name, address)
	} else if u, err := url.Parse(address); err == nil && u.Host != "" {
		repository = strings.TrimPrefix(u.Path, "/")
		if !s.p.serves(u.Host) {
			return "", false
		}
	} else { // git@host:owner/name.git
		who, where, found := strings.Cut(address, ":")
		if _, host, _ := strings.Cut(who, "@"); !found || !s.p.serves(host) {
			return "", false
		}
		repository = where
	}
	repository = strings.TrimSuffix(strings.TrimSuffix(repository, "/"), ".git")
	if s.p.Provider.Name == "bitbucket-server" {
		repository = strings.TrimPrefix(repository, "scm/")
	}
	return repository, true
}

// serves tells whether the host is the provider's, whatever the port.
func (p *Puller) serves(host string) bool {
	name := func(host string) string { return (&url.URL{Host: host}).Hostname() }
	return host != "" && (name(host) == name(p.Provider.Host) || name(host) == name(p.SSHHost))
}
