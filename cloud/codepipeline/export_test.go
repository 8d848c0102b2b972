package codepipeline

import "time"

// UseGitHub makes the service ask another address than GitHub's.
func (s *Service) UseGitHub(api string) { s.github = api }

// KindOf is a kind of action or rule as the page shows it.
type KindOf struct {
	Category, Owner, Provider string
	Runs                      bool
}

// Kinds are the kinds of actions, and then those of rules.
func Kinds() (list []KindOf) {
	for _, k := range append(append([]kind{}, kinds...), ruleKinds...) {
		list = append(list, KindOf{string(k.category), string(k.owner), k.provider, k.run != nil})
	}
	return list
}

// Lines are how many pipelines somebody works on.
func (s *Service) Lines() int {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	return len(s.lines.byName)
}

// PollWithin bounds how long a polled source may take to answer.
func (s *Service) PollWithin(d time.Duration) { s.poll.patience = d }
