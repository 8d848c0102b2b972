package s3

import (
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func checkOwnership(_ bucket, c *types.OwnershipControls) error {
	if len(c.Rules) != 1 || !slices.Contains(types.ObjectOwnership("").Values(), c.Rules[0].ObjectOwnership) {
		return malformedXML()
	}
	return nil
}

func applyOwnership(b *bucket, c types.OwnershipControls) {
	b.Ownership = ""
	if len(c.Rules) > 0 {
		b.Ownership = c.Rules[0].ObjectOwnership
	}
}

func checkBucketTagging(_ bucket, t *types.Tagging) error { return checkTags(t.TagSet, maxBucketTags) }

var corsMethods = []string{"GET", "PUT", "HEAD", "POST", "DELETE"}

func checkCORS(_ bucket, c *types.CORSConfiguration) error {
	if len(c.CORSRules) == 0 || len(c.CORSRules) > 100 {
		return malformedXML()
	}
	for _, r := range c.CORSRules {
		if len(r.AllowedMethods) == 0 || len(r.AllowedOrigins) == 0 {
			return malformedXML()
		}
		for _, m := range r.AllowedMethods {
			if !slices.Contains(corsMethods, m) {
				return invalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is " + m)
			}
		}
		for _, o := range r.AllowedOrigins {
			if strings.Count(o, "*") > 1 {
				return invalidRequest(`AllowedOrigin "` + o + `" can not have more than one wildcard.`)
			}
		}
	}
	return nil
}

func checkWebsite(_ bucket, w *types.WebsiteConfiguration) error {
	switch {
	case w.RedirectAllRequestsTo != nil:
		if w.IndexDocument != nil || w.ErrorDocument != nil || len(w.RoutingRules) > 0 {
			return malformedXML()
		}
		if aws.ToString(w.RedirectAllRequestsTo.HostName) == "" {
			return malformedXML()
		}
	case w.IndexDocument == nil || aws.ToString(w.IndexDocument.Suffix) == "":
		return invalidArgument("A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty", "IndexDocument", "null")
	case strings.Contains(*w.IndexDocument.Suffix, "/"):
		return invalidArgument("The IndexDocument Suffix is not well formed", "IndexDocument", *w.IndexDocument.Suffix)
	}
	return nil
}

func checkReplication(b bucket, r *types.ReplicationConfiguration) error {
	if b.Versioning != types.BucketVersioningStatusEnabled {
		return invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
	}
	if aws.ToString(r.Role) == "" || len(r.Rules) == 0 {
		return malformedXML()
	}
	for i := range r.Rules {
		rule := &r.Rules[i]
		if rule.Destination == nil || aws.ToString(rule.Destination.Bucket) == "" || rule.Status == "" {
			return malformedXML()
		}
		nameRule(&rule.ID)
	}
	return nil
}

func checkAccelerate(b bucket, a *types.AccelerateConfiguration) error {
	switch {
	case !slices.Contains(a.Status.Values(), a.Status):
		return malformedXML()
	case strings.Contains(b.Name, "."):
		return invalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
	}
	return nil
}

func checkRequestPayment(_ bucket, p *types.RequestPaymentConfiguration) error {
	if !slices.Contains(p.Payer.Values(), p.Payer) {
		return malformedXML()
	}
	return nil
}

// lifecycle is a bucket's lifecycle configuration, kept and not carried out.
type lifecycle struct {
	Rules   []types.LifecycleRule
	Minimum types.TransitionDefaultMinimumObjectSize
}

func checkLifecycle(_ bucket, l *lifecycle) error {
	if len(l.Rules) == 0 || len(l.Rules) > 1000 {
		return malformedXML()
	}
	if l.Minimum == "" {
		l.Minimum = types.TransitionDefaultMinimumObjectSizeAllStorageClasses128k
	}
	seen := map[string]bool{}
	for i := range l.Rules {
		r := &l.Rules[i]
		if !slices.Contains(r.Status.Values(), r.Status) {
			return malformedXML()
		}
		acts := r.Expiration != nil || r.NoncurrentVersionExpiration != nil || r.AbortIncompleteMultipartUpload != nil ||
			len(r.Transitions) > 0 || len(r.NoncurrentVersionTransitions) > 0
		if !acts {
			return invalidRequest("At least one action needs to be specified in a rule")
		}
		if r.Expiration != nil && r.Expiration.Days != nil && *r.Expiration.Days <= 0 {
			return invalidArgument("'Days' for Expiration action must be a positive integer", "Days", "")
		}
		nameRule(&r.ID)
		if len(*r.ID) > 255 {
			return invalidArgument("ID length should not exceed allowed limit of 255", "ID", *r.ID)
		}
		if seen[*r.ID] {
			return invalidArgument("Rule ID must be unique. Found same ID for more than one rule", "ID", *r.ID)
		}
		seen[*r.ID] = true
	}
	return nil
}

// invalidState is a refusal because of what else the bucket is set to.
func invalidState(message string) error {
	return problem(http.StatusConflict, "InvalidBucketState", message)
}
