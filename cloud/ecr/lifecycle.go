package ecr

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"ouro/cloud/policy"
)

// rule is a rule of a lifecycle policy.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
type rule struct {
	Priority    int32  `json:"rulePriority"`
	Description string `json:"description"`
	Selection   struct {
		TagStatus    string   `json:"tagStatus"`
		Prefixes     []string `json:"tagPrefixList"`
		Patterns     []string `json:"tagPatternList"`
		StorageClass string   `json:"storageClass"`
		CountType    string   `json:"countType"`
		CountUnit    string   `json:"countUnit"`
		CountNumber  int      `json:"countNumber"`
	} `json:"selection"`
	Action struct {
		Type   string `json:"type"`
		Target string `json:"targetStorageClass"`
	} `json:"action"`
}

const (
	maxRules     = 50
	maxLifecycle = 30720 // characters
	anyTags      = "any"
	byCount      = "imageCountMoreThan"
	sincePush    = "sinceImagePushed"
	sincePull    = "sinceImagePulled"
	maxStars     = 4 // in one pattern
)

func badLifecycle(format string, args ...any) error {
	return badParameter("LifecyclePolicyText", "Lifecycle policy validation failure: %s", fmt.Sprintf(format, args...))
}

// readLifecycle reads a lifecycle policy; its rules come in the order of their
// priorities.
func readLifecycle(text string) ([]rule, error) {
	if len(text) < 100 || len(text) > maxLifecycle {
		return nil, badParameter("LifecyclePolicyText", "must have length between 100 and %d", maxLifecycle)
	}
	var doc struct {
		Rules []rule `json:"rules"`
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil || d.More() {
		return nil, badLifecycle("it is not JSON of the form of a lifecycle policy: %v", err)
	}
	if n := len(doc.Rules); n == 0 || n > maxRules {
		return nil, badLifecycle("it has %d rules, and must have 1 to %d", n, maxRules)
	}
	slices.SortFunc(doc.Rules, func(a, b rule) int { return cmp.Compare(a.Priority, b.Priority) })
	untagged := 0
	for i, r := range doc.Rules {
		if err := r.check(); err != nil {
			return nil, err
		}
		if r.Selection.TagStatus == "untagged" {
			untagged++
		}
		switch {
		case i > 0 && r.Priority == doc.Rules[i-1].Priority:
			return nil, badLifecycle("two rules have the priority %d", r.Priority)
		case r.Selection.TagStatus == anyTags && i < len(doc.Rules)-1:
			return nil, badLifecycle("the rule with the tag status any must have the highest priority number")
		case untagged > 1:
			return nil, badLifecycle("only one rule may select untagged images")
		}
	}
	return doc.Rules, nil
}

// check looks at one rule.
func (r rule) check() error {
	sel := r.Selection
	lists := len(sel.Prefixes) + len(sel.Patterns)
	tagged := sel.TagStatus == "tagged"
	aged := sel.CountType == sincePush || sel.CountType == sincePull
	problems := []struct {
		is   bool
		what string
	}{
		{r.Priority < 1, "the priority must be at least 1"},
		{r.Action.Type == "transition" || sel.StorageClass == "archive" || sel.CountType == "sinceImageTransitioned", "the local cloud has no archive for images"},
		{r.Action.Type != "expire", "the type of the action must be expire"},
		{r.Action.Target != "", "the action expire has no target"},
		{sel.StorageClass != "" && sel.StorageClass != "standard", "the storage class must be standard"},
		{!tagged && sel.TagStatus != "untagged" && sel.TagStatus != anyTags, "the tag status must be tagged, untagged or any"},
		{tagged && (len(sel.Prefixes) == 0) == (len(sel.Patterns) == 0), "the tag status tagged needs either tagPrefixList or tagPatternList"},
		{!tagged && lists > 0, "only the tag status tagged takes tagPrefixList and tagPatternList"},
		{slices.ContainsFunc(sel.Patterns, func(p string) bool { return strings.Count(p, "*") > maxStars }), "a pattern has at most four wildcards"},
		{slices.Contains(append(sel.Prefixes, sel.Patterns...), ""), "prefixes and patterns are not empty"},
		{!aged && sel.CountType != byCount, "the count type must be imageCountMoreThan, sinceImagePushed or sinceImagePulled"},
		{aged && sel.CountUnit != "days", "an age needs the count unit days"},
		{!aged && sel.CountUnit != "", "imageCountMoreThan takes no count unit"},
		{sel.CountNumber < 1, "the count number must be at least 1"},
	}
	for _, p := range problems {
		if p.is {
			return badLifecycle("rule %d: %s", r.Priority, p.what)
		}
	}
	return nil
}

// selects tells whether a rule is about the image. Of several prefixes or
// patterns each must fit one of its tags.
func (r rule) selects(i image) bool {
	switch r.Selection.TagStatus {
	case anyTags:
		return true
	case "untagged":
		return len(i.Tags) == 0
	}
	for _, p := range r.Selection.Prefixes {
		if !slices.ContainsFunc(i.Tags, func(t string) bool { return strings.HasPrefix(t, p) }) {
			return false
		}
	}
	for _, p := range r.Selection.Patterns {
		if !slices.ContainsFunc(i.Tags, func(t string) bool { return policy.Like(p, t) }) {
			return false
		}
	}
	return len(i.Tags) > 0
}

// expired are those of the images, which come oldest first, that a rule that
// selects them lets go.
func (r rule) expired(images []image, now time.Time) []image {
	if r.Selection.CountType == byCount {
		return images[:max(0, len(images)-r.Selection.CountNumber)]
	}
	var out []image
	limit := now.AddDate(0, 0, -r.Selection.CountNumber)
	for _, i := range images {
		since := i.Pushed
		if r.Selection.CountType == sincePull && i.Pulled != nil && i.Pulled.After(since) {
			since = *i.Pulled
		}
		if since.Before(limit) {
			out = append(out, i)
		}
	}
	return out
}

// expiry is an image that a rule lets go.
type expiry struct {
	image image
	rule  int32 // its priority
}

// evaluate applies rules to the images of a repository. Each rule counts all
// images that it selects, also those that another has marked; but what a rule
// of higher priority selects is that rule's to let go. What an index names
// stays while the index stays.
func evaluate(rules []rule, images []image, now time.Time) []expiry {
	images = slices.Clone(images)
	slices.SortFunc(images, func(a, b image) int { return cmp.Or(a.Pushed.Compare(b.Pushed), cmp.Compare(a.Digest, b.Digest)) })
	marked, seen := map[string]int32{}, map[string]bool{}
	for _, r := range rules {
		var selected []image
		for _, i := range images {
			if r.selects(i) {
				selected = append(selected, i)
			}
		}
		for _, i := range r.expired(selected, now) {
			if !seen[i.Digest] {
				marked[i.Digest] = r.Priority
			}
		}
		for _, i := range selected {
			seen[i.Digest] = true
		}
	}
	for _, i := range images {
		if _, goes := marked[i.Digest]; !goes {
			for _, member := range i.Members {
				delete(marked, member)
			}
		}
	}
	var out []expiry
	for _, i := range images {
		if p, ok := marked[i.Digest]; ok {
			out = append(out, expiry{i, p})
		}
	}
	return out
}
