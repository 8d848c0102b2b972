package codepipeline

// UseGitHub makes the service ask another address than GitHub's.
func (s *Service) UseGitHub(api string) { s.github = api }
