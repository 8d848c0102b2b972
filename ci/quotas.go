package ci

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
)

// QuotasAPI is the part of the Service Quotas client that checks call.
type QuotasAPI = servicequotas.ListServiceQuotasAPIClient

// Quotas looks at the quotas that matter.
type Quotas struct {
	API    QuotasAPI
	Stacks cloudformation.DescribeStacksAPIClient
	// Foreign is set for endpoints other than AWS's own, which may have no
	// such service.
	Foreign bool
	// Compute is the size of the machines that builds need; empty for none.
	Compute string
	Region  string
}

// The quotas by the names that Service Quotas has for them
// (https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html).
const (
	stackQuota      = "Stack count"
	concurrentQuota = "Concurrently running builds for "
)

// environments are the machines in the names of those quotas.
var environments = map[string]string{
	"BUILD_GENERAL1_SMALL": "Linux/Small", "BUILD_GENERAL1_MEDIUM": "Linux/Medium", "BUILD_GENERAL1_LARGE": "Linux/Large",
	"BUILD_GENERAL1_XLARGE": "Linux/XLarge", "BUILD_GENERAL1_2XLARGE": "Linux/2XLarge",
}

// Check looks at the number of stacks, and of builds at a time.
func (q Quotas) Check(ctx context.Context) []Check {
	stacks, c := q.find(ctx, "stacks", "cloudformation", stackQuota)
	if stacks != nil {
		c = q.stacks(ctx, aws.ToFloat64(stacks.Value))
	}
	if q.Compute == "" {
		return []Check{c}
	}
	builds, d := q.find(ctx, "concurrent builds", "codebuild", concurrentQuota+environments[q.Compute]+" environment")
	if builds != nil {
		d = q.builds(aws.ToFloat64(builds.Value))
	}
	return []Check{c, d}
}

// find is a quota by its name, or else the check that says why there is none.
func (q Quotas) find(ctx context.Context, what, service, name string) (*types.ServiceQuota, Check) {
	c := Check{Name: "quota of " + what, Outcome: Skipped}
	pages := servicequotas.NewListServiceQuotasPaginator(q.API, &servicequotas.ListServiceQuotasInput{ServiceCode: &service})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, q.unreadable(c, err)
		}
		i := slices.IndexFunc(page.Quotas, func(quota types.ServiceQuota) bool { return strings.EqualFold(aws.ToString(quota.QuotaName), name) })
		if i >= 0 {
			return &page.Quotas[i], c
		}
	}
	c.Detail = "Service Quotas has none called " + name
	return nil, c
}

func (q Quotas) unreadable(c Check, err error) Check {
	var answer *awshttp.ResponseError
	denied := (*types.AccessDeniedException)(nil)
	switch {
	case q.Foreign && errors.As(err, &answer):
		c.Detail = "the endpoint has no Service Quotas"
	case errors.As(err, &denied):
		c.Detail, c.Fix = "it may not be read", "allow servicequotas:ListServiceQuotas"
	default:
		c.Outcome, c.Detail, c.Fix = Failed, short(err), "see whether the endpoint can be reached"
	}
	return c
}

func (q Quotas) stacks(ctx context.Context, most float64) Check {
	c := Check{Name: "quota of stacks", Outcome: OK, Fix: q.raise("cloudformation")}
	there := 0
	pages := cloudformation.NewDescribeStacksPaginator(q.Stacks, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			c.Outcome, c.Detail, c.Fix = Failed, short(err), "allow cloudformation:DescribeStacks"
			return c
		}
		there += len(page.Stacks)
	}
	c.Detail = fmt.Sprintf("%d of %.0f", there, most)
	switch n := float64(there); {
	case n >= most:
		c.Outcome = Failed
	case n >= most*9/10:
		c.Outcome = Warning
	default:
		c.Fix = ""
	}
	return c
}

func (q Quotas) builds(most float64) Check {
	c := Check{Name: "quota of concurrent builds", Outcome: OK, Detail: fmt.Sprintf("%.0f on %s", most, environments[q.Compute])}
	switch {
	case most < 1:
		c.Outcome, c.Fix = Failed, q.raise("codebuild")
	case most < 2:
		c.Outcome, c.Fix = Warning, "the parts of a batch run one after another: "+q.raise("codebuild")
	}
	return c
}

func (q Quotas) raise(service string) string {
	return fmt.Sprintf("ask for more: https://%s.console.aws.amazon.com/servicequotas/home/services/%s/quotas", q.Region, service)
}
