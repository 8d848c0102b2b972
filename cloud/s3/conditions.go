package s3

import (
	"strings"
	"time"
)

// writeConditions are the conditions under which an object may be written or
// deleted: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html.
type writeConditions struct{ match, noneMatch *string }

// checkForm refuses what AWS does not have: If-None-Match with an entity tag.
func (c writeConditions) checkForm() error {
	if c.noneMatch != nil && strings.Trim(*c.noneMatch, `"`) != "*" {
		return notImplemented("If-None-Match")
	}
	return nil
}

// check decides by the current version; exists is false where there is none, or
// a delete marker.
func (c writeConditions) check(key string, current listing, exists bool) error {
	if c.noneMatch != nil && exists {
		return preconditionFailed("If-None-Match")
	}
	if c.match == nil {
		return nil
	}
	if !exists {
		return noSuchKey(key)
	}
	if !tagMatches(*c.match, current.ETag) {
		return preconditionFailed("If-Match")
	}
	return nil
}

// tagMatches tells whether a list of entity tags, or *, covers tag.
func tagMatches(list, tag string) bool {
	for t := range strings.SplitSeq(list, ",") {
		t = strings.TrimPrefix(strings.TrimSpace(t), "W/")
		if t == "*" || strings.Trim(t, `"`) == tag {
			return true
		}
	}
	return false
}

// readConditions are the conditions under which an object is read or copied.
// Which of them counts where several are given is as RFC 9110 section 13.2.2
// says; names are the headers, for errors.
type readConditions struct {
	match, noneMatch     *string
	modified, unmodified *time.Time
	prefix               string // of the header names: x-amz-copy-source- for copies
}

func (c readConditions) check(o listing) error {
	written := o.Modified.Truncate(time.Second) // dates in headers are no finer
	switch {
	case c.match != nil:
		if !tagMatches(*c.match, o.ETag) {
			return preconditionFailed(c.prefix + "If-Match")
		}
	case c.unmodified != nil && written.After(*c.unmodified):
		return preconditionFailed(c.prefix + "If-Unmodified-Since")
	}
	switch {
	case c.noneMatch != nil:
		if tagMatches(*c.noneMatch, o.ETag) {
			return c.unchanged(o, "If-None-Match")
		}
	case c.modified != nil && !written.After(*c.modified):
		return c.unchanged(o, "If-Modified-Since")
	}
	return nil
}

// unchanged is Not Modified for who reads, and a refusal for who copies.
func (c readConditions) unchanged(o listing, header string) error {
	if c.prefix != "" {
		return preconditionFailed(c.prefix + header)
	}
	return withHeader(notModified(), "ETag", *o.quotedETag(), "Last-Modified", o.Modified.Format(timeFormat))
}
