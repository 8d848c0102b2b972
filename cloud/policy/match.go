package policy

import "strings"

// AllowsAction tells whether the statement is about the action, such as
// sts:AssumeRole; it says nothing of the effect.
func (s Statement) AllowsAction(action string) bool {
	if len(s.NotActions) > 0 {
		return !anyLike(s.NotActions, action)
	}
	return anyLike(s.Actions, action)
}

func anyLike(patterns []string, action string) bool {
	for _, pattern := range patterns {
		if Like(strings.ToLower(pattern), strings.ToLower(action)) {
			return true
		}
	}
	return false
}

// Like tells whether the text is the pattern, in which * stands for any
// characters and ? for one.
func Like(pattern, text string) bool {
	star, mark := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// Principal is who asks.
type Principal struct {
	Account string
	ARN     string // of a user, a role session, an account's root
	Service string // of a service that asks for itself, such as codebuild.amazonaws.com
}

// Match tells whether p is among them. An account, as its number or its root's
// ARN, is everybody in it; a role's ARN is every session of the role.
func (s *Principals) Match(p Principal) bool {
	if s.Anyone {
		return true
	}
	if p.Service != "" {
		for _, name := range s.ByType["Service"] {
			if servicePrincipal(name) == servicePrincipal(p.Service) {
				return true
			}
		}
		return false
	}
	for _, name := range s.ByType["AWS"] {
		if name == "*" || name == p.Account || name == p.ARN || isRootOf(name, p.Account) || isRoleOf(name, p) {
			return true
		}
	}
	return false
}

// servicePrincipal brings the regional and the other partitions' forms of a
// service's name (logs.eu-west-1.amazonaws.com, ec2.amazonaws.com.cn) to one.
func servicePrincipal(name string) string {
	name = strings.TrimSuffix(name, ".cn")
	labels := strings.Split(strings.TrimSuffix(name, ".amazonaws.com"), ".")
	return labels[0]
}

func isRootOf(arn, account string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.HasSuffix(arn, ":iam::"+account+":root")
}

// isRoleOf tells whether arn is the role that p is a session of. A session's
// ARN does not tell its role's path.
func isRoleOf(arn string, p Principal) bool {
	_, session, ok := strings.Cut(p.ARN, ":sts::"+p.Account+":assumed-role/")
	if !ok {
		return false
	}
	_, role, ok := strings.Cut(arn, ":iam::"+p.Account+":role/")
	if !ok {
		return false
	}
	name, _, _ := strings.Cut(session, "/")
	return role[strings.LastIndexByte(role, '/')+1:] == name
}
